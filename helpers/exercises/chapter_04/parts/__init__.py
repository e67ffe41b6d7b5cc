"""What exercises of chapter 4 are made of: wrong ways to test for leaks."""
