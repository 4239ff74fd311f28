"""Archives (zip, tar, tar.gz): their members are listed and opened in place, and nothing is unpacked to disk."""
