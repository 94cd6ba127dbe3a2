//! parallel-map
