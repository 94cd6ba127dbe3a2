//! Forecasts of a series and its parts: trend, seasons, remainder.
//!
//! A [`Model`] is fitted to a series of finite values, one for each step, and forecasts the steps to come with the width
//! of what to expect. It can take the next values one by one, without being fitted anew, and is kept as plain numbers.
//! [`mod@stl`] takes a series apart; [`periods`] finds its seasons.
//!
//! The same series gives the same bits on every machine: sums have a fixed order, logarithms and the like come from
//! `libm`, and nothing is drawn at random.
//!
//! ```
//! use forecasting::{Method, Model};
//!
//! let series: Vec<f64> = (0..96).map(|hour| 20.0 + f64::from(hour % 24)).collect();
//! let model = Model::fit(&series, &[24], Method::Auto).ok_or("an empty series")?;
//! let forecast = model.forecast(3);
//! assert!(forecast.means.iter().zip([20.0, 21.0, 22.0]).all(|(mean, expected)| (mean - expected).abs() < 0.1));
//! assert!(forecast.bounds(95.0).all(|(lower, upper)| lower <= upper));
//! # Ok::<(), &str>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod accuracy;
pub mod combined;
pub mod ets;
mod fft;
mod forecast;
mod line;
mod model;
pub mod naive;
mod normal;
mod numbers;
mod part;
pub mod periods;
pub mod season_figure;
pub mod seasonal_trend;
mod simplex;
pub mod stl;
pub mod theta;

pub use forecast::Forecast;
pub use model::{Method, Model};
pub use part::Part;
