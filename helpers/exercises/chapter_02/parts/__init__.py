"""What exercises of chapter 2 are made of: networks of the sine that go wrong somewhere."""
