"""Pure drawing: a value in, Block Kit out. No clock, no client: what is stored is what is shown."""
