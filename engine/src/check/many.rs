//! Many certificates on all cores.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::budget::Budget;
use super::verdict::Verdict;
use super::{Cancelled, Checker};

/// Learns each verdict as it falls, in no particular order and from any thread: the position of the job, and the verdict.
pub type Observer<'a> = &'a (dyn Fn(usize, &Verdict) + Sync);

/// How a batch is worked through.
#[derive(Clone, Copy)]
pub struct Work<'a> {
    /// How many threads; 0 counts as one. They end with the batch.
    pub threads: usize,
    /// For each job.
    pub budget: Budget,
    /// Set to call the batch off.
    pub cancel: &'a AtomicBool,
    /// Who wants to know how it goes.
    pub observer: Option<Observer<'a>>,
}

/// How many shares a thread gets, so that none waits long for another's last.
const SHARES: u64 = 32;

/// The verdict on each of `jobs`, in their order.
///
/// Jobs are cut into runs of about equal weight; a thread that is free takes the heaviest run that is left. So the batch ends at most
/// one run, or one job if that is heavier, after it could have.
pub fn check_many<C: Checker>(checker: &C, jobs: &[C::Job], work: &Work<'_>) -> Result<Vec<Verdict>, Cancelled> {
    let threads = work.threads.max(1).min(jobs.len().max(1));
    let runs = cut(checker, jobs, threads);
    let next = AtomicUsize::new(0);
    let take = || {
        let mut scratch = checker.scratch();
        let mut done = Vec::new();
        while let Some(run) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut verdicts = Vec::with_capacity(run.len());
            for position in run.clone() {
                if work.cancel.load(Ordering::Relaxed) {
                    return Err(Cancelled);
                }
                let verdict = checker.check(&jobs[position], &work.budget, &mut scratch);
                if let Some(observe) = work.observer {
                    observe(position, &verdict);
                }
                verdicts.push(verdict);
            }
            done.push((run.start, verdicts));
        }
        Ok(done)
    };
    let mut done = if threads == 1 { take()? } else { on_threads(threads, take)? };
    done.sort_unstable_by_key(|&(start, _)| start);
    Ok(done.into_iter().flat_map(|(_, verdicts)| verdicts).collect())
}

type Done = Vec<(usize, Vec<Verdict>)>;

/// The calling thread works too.
fn on_threads(threads: usize, take: impl Fn() -> Result<Done, Cancelled> + Sync) -> Result<Done, Cancelled> {
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(&take)).collect();
        let mut done = take();
        for other in others {
            let more = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            done = done.and_then(|mut done| more.map(|more| done.extend(more)).map(|()| done));
        }
        done
    })
}

/// Runs of neighbouring jobs, the heaviest first.
fn cut<C: Checker>(checker: &C, jobs: &[C::Job], threads: usize) -> Vec<Range<usize>> {
    let weight = |job| checker.weight(job).saturating_add(1);
    let total = jobs.iter().fold(0_u64, |sum, job| sum.saturating_add(weight(job)));
    let share = total / (SHARES * threads as u64) + 1;
    let mut runs = Vec::new();
    let (mut start, mut heavy) = (0, 0_u64);
    for (position, job) in jobs.iter().enumerate() {
        heavy = heavy.saturating_add(weight(job));
        if heavy >= share {
            runs.push((heavy, start..position + 1));
            (start, heavy) = (position + 1, 0);
        }
    }
    if start < jobs.len() {
        runs.push((heavy, start..jobs.len()));
    }
    runs.sort_by_key(|&(heavy, _)| std::cmp::Reverse(heavy));
    runs.into_iter().map(|(_, run)| run).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::super::{Code, Fault};
    use super::*;

    /// Rejects odd numbers.
    struct Even;

    impl Checker for Even {
        type Job = u64;
        type Scratch = ();

        fn name(&self) -> &'static str {
            "even"
        }

        fn version(&self) -> &'static str {
            "1"
        }

        fn scratch(&self) {}

        fn weight(&self, job: &u64) -> u64 {
            *job
        }

        fn check(&self, job: &u64, _: &Budget, (): &mut ()) -> Verdict {
            if job.is_multiple_of(2) {
                Verdict::Accepted
            } else {
                Verdict::Rejected(Box::new(Fault::new(Code("odd"), job.to_string())))
            }
        }
    }

    #[test]
    fn verdicts_come_in_the_order_of_jobs_at_any_number_of_threads() {
        let cancel = AtomicBool::new(false);
        let jobs: Vec<u64> = (0..1000).map(|job| job * 7919 % 1013).chain([u64::MAX - 1]).collect();
        for threads in [0, 1, 2, 5, 64] {
            let work = Work { threads, budget: Budget::default(), cancel: &cancel, observer: None };
            let verdicts = check_many(&Even, &jobs, &work).unwrap();
            let even: Vec<bool> = jobs.iter().map(|job| job.is_multiple_of(2)).collect();
            assert_eq!(verdicts.iter().map(Verdict::is_accepted).collect::<Vec<_>>(), even);
        }
    }

    #[test]
    fn nothing_to_do_is_done() {
        let cancel = AtomicBool::new(false);
        let work = Work { threads: 4, budget: Budget::default(), cancel: &cancel, observer: None };
        assert_eq!(check_many(&Even, &[], &work), Ok(Vec::new()));
    }

    #[test]
    fn an_observer_hears_of_each_job_once_and_can_call_the_batch_off() {
        let cancel = AtomicBool::new(false);
        let heard = Mutex::new(Vec::new());
        let observe = |position: usize, _: &Verdict| heard.lock().unwrap().push(position);
        let jobs: Vec<u64> = (0..100).collect();
        let work = Work { threads: 3, budget: Budget::default(), cancel: &cancel, observer: Some(&observe) };
        check_many(&Even, &jobs, &work).unwrap();
        let mut positions = heard.lock().unwrap().clone();
        positions.sort_unstable();
        assert!(positions.into_iter().eq(0..100));

        let stop = |_: usize, _: &Verdict| cancel.store(true, Ordering::Relaxed);
        let work = Work { observer: Some(&stop), ..work };
        assert_eq!(check_many(&Even, &jobs, &work), Err(Cancelled));
    }
}
