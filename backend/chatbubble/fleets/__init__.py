"""Ways for the processes of one deployment to speak to each other."""
