// Owns the precompiled headers of the test programs; it has no code of its own.
