//! Is a registry of version 1 read for ever?
