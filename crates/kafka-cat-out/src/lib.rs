//! kafka-cat-out
