//! The page in a real Chromium.

mod driver;
mod endurance;
mod safety;
mod use_of_it;
