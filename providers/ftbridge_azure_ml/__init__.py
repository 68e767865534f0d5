"""Azure Machine Learning for ftbridge: so far its prices alone."""
