"""Items that surface where they were not shipped to: territories, and the cases that somebody works on."""
