"""Amazon Bedrock for ftbridge: data format and rules."""
