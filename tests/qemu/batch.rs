//! Eight devices through `station batch`.
