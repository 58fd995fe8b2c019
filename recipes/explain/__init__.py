"""How good the methods of explanation are, on sounds whose time and frequency are known."""
