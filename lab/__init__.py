"""The product on a laptop: real Kafka brokers behind a local MSK, CloudWatch and Slack."""
