"""Real Apache Kafka for the lab: jars, Java, broker processes and the fleet over them."""
