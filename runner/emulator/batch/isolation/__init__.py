"""Where the commands of nodes run: in views of this machine, in containers, or just here."""
