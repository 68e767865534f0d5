"""Amazon SageMaker for ftbridge: so far its prices alone."""
