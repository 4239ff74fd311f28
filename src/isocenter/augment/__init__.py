"""Augmentation within the limits that keep a medical image true: arrays in, arrays out."""
