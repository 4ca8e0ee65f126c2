"""The formula language of automatic scaling: read, checked, evaluated; free of pools."""
