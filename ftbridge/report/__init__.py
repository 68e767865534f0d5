"""What became of a job, on one page that anybody can open."""
