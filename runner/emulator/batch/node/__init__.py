"""What a compute node does: directories, processes, files in and out."""
