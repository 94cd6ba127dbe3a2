//! Whole pipelines: the tests are in the files beside this one.
