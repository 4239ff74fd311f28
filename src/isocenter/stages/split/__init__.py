"""Split: subjects to partitions."""
