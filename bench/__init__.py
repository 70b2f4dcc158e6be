"""A few stories told in numbers, beside their peers, each a command."""
