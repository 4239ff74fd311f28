"""What the DICOM image and annotation formats share: headers, pixel data, values."""
