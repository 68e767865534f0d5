"""Google Vertex AI for ftbridge: data format and rules."""
