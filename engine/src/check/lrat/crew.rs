//! Tasks on several threads, each with memory of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Runs `task` for each number below `tasks`, in about their order, on as many threads as there are `workers`. The calling thread does
/// `first`, and then takes tasks like the others. A worker that returns `false` takes no more.
pub fn share<W: Send>(
    workers: &mut [W],
    tasks: usize,
    task: impl Fn(&mut W, usize) -> bool + Sync,
    first: impl FnOnce(&mut W),
) {
    let next = AtomicUsize::new(0);
    let work = |worker: &mut W| {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= tasks || !task(worker, number) {
                return;
            }
        }
    };
    let Some((own, others)) = workers.split_first_mut() else { return };
    thread::scope(|scope| {
        for other in others.iter_mut().take(tasks.saturating_sub(1)) {
            scope.spawn(|| work(other));
        }
        first(own);
        work(own);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_is_done_once() {
        for threads in [1, 2, 5] {
            let mut workers = vec![Vec::new(); threads];
            share(
                &mut workers,
                100,
                |done, number| {
                    done.push(number);
                    true
                },
                |done| done.push(1000),
            );
            let mut done = workers.concat();
            done.sort_unstable();
            assert_eq!(done, (0..100).chain([1000]).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_worker_may_stop() {
        let mut workers = [0];
        share(
            &mut workers,
            100,
            |done, _| {
                *done += 1;
                *done < 3
            },
            |_| (),
        );
        assert_eq!(workers, [3]);
    }
}
