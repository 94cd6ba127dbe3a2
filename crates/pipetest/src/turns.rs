//! Several tests at the same time; what came of them is told in their order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// Works on items in this many threads, and hands over the results in the order of the items, as soon as that can be.
///
/// # Errors
/// The first that `work` or `each` gives; nothing new is begun after it.
pub fn in_order<I: Sync, R: Send, E: Send, F: From<E>>(
    items: &[I],
    jobs: usize,
    work: impl Fn(&I) -> Result<R, E> + Sync,
    mut each: impl FnMut(&R) -> Result<(), F>,
) -> Result<Vec<R>, F> {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..jobs.min(items.len()) {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                while let Some((index, item)) = take(items, next) {
                    let result = work(item);
                    if result.is_err() {
                        next.store(items.len(), Ordering::Relaxed);
                    }
                    if sender.send((index, result)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let (mut early, mut done) = (BTreeMap::new(), Vec::with_capacity(items.len()));
        for (index, result) in receiver {
            early.insert(index, result);
            while let Some(result) = early.remove(&done.len()) {
                let handed = result.map_err(F::from).and_then(|result| each(&result).map(|()| result));
                done.push(handed.inspect_err(|_| next.store(items.len(), Ordering::Relaxed))?);
            }
        }
        // Of those that were never begun there is an error before.
        match early.into_values().find_map(Result::err) {
            Some(error) => Err(error.into()),
            None => Ok(done),
        }
    })
}

fn take<'i, I>(items: &'i [I], next: &AtomicUsize) -> Option<(usize, &'i I)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    items.get(index).map(|item| (index, item))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<u64> = (0..20).collect();
        let work = |item: &u64| {
            thread::sleep(Duration::from_millis((20 - item) % 5));
            Ok::<u64, String>(item * 2)
        };
        let mut told = Vec::new();
        let done = in_order(&items, 4, work, |result| {
            told.push(*result);
            Ok::<(), String>(())
        });
        assert_eq!(done.unwrap(), told);
        assert_eq!(told, (0..20).map(|item| item * 2).collect::<Vec<_>>());
    }

    #[test]
    fn an_error_ends_it() {
        let items: Vec<u64> = (0..100).collect();
        let work = |item: &u64| if *item == 5 { Err("five".to_owned()) } else { Ok(*item) };
        let done = in_order(&items, 2, work, |_| Ok::<(), String>(()));
        assert_eq!(done.unwrap_err(), "five");
    }
}
