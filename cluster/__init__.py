"""The only room that reaches AWS and Kafka: MSK, brokers, metrics, one survey."""
