"""An order pipeline's traffic: a producer and consumers that count every record."""
