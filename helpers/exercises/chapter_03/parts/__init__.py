"""What exercises of chapter 3 are made of: mistakes that steps of both cells share."""
