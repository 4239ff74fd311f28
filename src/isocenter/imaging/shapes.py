"""Shapes that raters draw: contours, masks, boxes, points; each knows its voxels on a grid."""
