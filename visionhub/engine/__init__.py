"""Planning and running: from files to stored annotations."""
