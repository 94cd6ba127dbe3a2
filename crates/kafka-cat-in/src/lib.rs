//! kafka-cat-in
