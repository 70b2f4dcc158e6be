"""The room that will look at clusters: lag, imbalance, disk. Nothing stands here yet."""
