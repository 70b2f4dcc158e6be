"""Who may change what, and when to worry: YAML files beside the code that loads and evaluates them."""

from policies.clusters import Auth, Cluster
from policies.keeping import KeptPolicies
from policies.load import load
from policies.policies import Policies
from policies.problems import Problem, Problems

__all__ = ["Auth", "Cluster", "KeptPolicies", "Policies", "Problem", "Problems", "load"]
