"""Looks at clusters: lag, imbalance, replication, disk; opens and closes incidents. Reads only."""
