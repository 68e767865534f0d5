"""What to do with a data set: prompt, retrieve, classify, collect or tune, and on what evidence."""
