//! The desk at work: one writer over a store, with the index in memory.
