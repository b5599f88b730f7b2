//! Threads that take work from a queue, and one that keeps its deadlines.

use std::any::Any;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use porism_native::sync::lock;

use super::port::Port;
use super::{Close, Context, Queue, Running};

/// What does the work. One value serves all threads of a crew.
pub trait Worker<P, A>: Send + Sync + 'static {
    /// Does one piece of work. Look at the context now and then: it tells when the answer is not wanted any more. A panic ends
    /// the requests as crashed, and the thread goes on.
    fn work(&self, payload: P, context: &Context<P, A>) -> A;

    /// Runs the loop of one thread; a worker that needs something to stand around it, overrides this.
    fn run_thread(&self, take_and_work: &mut (dyn FnMut() + Send)) {
        take_and_work();
    }
}

/// The threads of one queue. Dropped, they end when they find the queue closed; nobody waits for that.
#[derive(Debug)]
pub struct Crew {
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Crew {
    /// Starts `workers` threads that work, and one that answers requests whose deadline has passed.
    ///
    /// # Errors
    ///
    /// The system refuses a thread; then the queue is closed, and those that run end.
    pub fn start<P, A, W>(queue: &Queue<P, A>, worker: W, workers: usize) -> io::Result<Self>
    where
        P: Send + 'static,
        A: Clone + Send + 'static,
        W: Worker<P, A>,
    {
        let worker = Arc::new(worker);
        let finish = Arc::new(Finish::default());
        let mut threads = Vec::with_capacity(workers + 1);
        let mut spawn = |name: String, body: Box<dyn FnOnce() + Send>| {
            threads.push(thread::Builder::new().name(name).spawn(body)?);
            io::Result::Ok(())
        };
        let started = (0..workers)
            .try_for_each(|number| {
                let (queue, worker) = (queue.clone(), Arc::clone(&worker));
                queue.shared.worker_comes();
                let left = Leaving(queue.clone());
                let at_work = AtWork::new(&finish);
                spawn(
                    format!("porism-work-{number}"),
                    Box::new(move || {
                        let _left = left;
                        let mut at_work = Some(at_work);
                        worker.run_thread(&mut || {
                            take_and_work(&queue, &*worker);
                            at_work.take().into_iter().for_each(AtWork::finish);
                        });
                    }),
                )
            })
            .and_then(|()| {
                let queue = queue.clone();
                spawn("porism-time".to_owned(), Box::new(move || queue.shared.keep_deadlines()))
            });
        let crew = Self { threads: Mutex::new(threads) };
        if let Err(error) = started {
            queue.close(Close::Abandon);
            return Err(error);
        }
        Ok(crew)
    }

    /// Waits until the threads have ended. Close the queue before.
    pub fn join(&self) {
        let threads: Vec<_> = self.threads.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect();
        for thread in threads {
            // A thread that panicked has said so, and its request was answered.
            let _ = thread.join();
        }
    }
}

impl<P, A> Queue<P, A>
where
    P: Send + 'static,
    A: Clone + Send + 'static,
{
    /// Has [`Message::WorkersGone`](super::Message::WorkersGone) posted when the queue is closed and no worker is left; at once if
    /// that is so.
    pub fn tell_when_workers_are_gone(&self, port: &Arc<Port<A>>, token: u64) {
        self.shared.tell_when_workers_are_gone(port, token);
    }
}

/// Counts a worker out, however its thread ends.
struct Leaving<P, A>(Queue<P, A>)
where
    P: Send + 'static,
    A: Clone + Send + 'static;

impl<P, A> Drop for Leaving<P, A>
where
    P: Send + 'static,
    A: Clone + Send + 'static,
{
    fn drop(&mut self) {
        self.0.shared.worker_goes();
    }
}

/// The finishing line of a crew's threads: none ends before all have done their work. A process may die with the thread that started
/// it, and serve another thread until then.
#[derive(Debug, Default)]
struct Finish {
    at_work: Mutex<usize>,
    all_done: Condvar,
}

/// One thread that may have work, until it is dropped; also by a panic, and when the thread was never started.
struct AtWork(Arc<Finish>);

impl AtWork {
    fn new(finish: &Arc<Finish>) -> Self {
        *lock(&finish.at_work) += 1;
        Self(Arc::clone(finish))
    }

    /// Waits for the others.
    fn finish(self) {
        let finish = Arc::clone(&self.0);
        drop(self);
        let mut at_work = lock(&finish.at_work);
        while *at_work > 0 {
            at_work = finish.all_done.wait(at_work).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        let mut at_work = lock(&self.0.at_work);
        *at_work -= 1;
        if *at_work == 0 {
            self.0.all_done.notify_all();
        }
    }
}

fn take_and_work<P, A>(queue: &Queue<P, A>, worker: &impl Worker<P, A>)
where
    P: Send + 'static,
    A: Clone + Send + 'static,
{
    while let Some(running) = queue.take() {
        work(running, worker);
    }
}

fn work<P, A>(mut running: Running<P, A>, worker: &impl Worker<P, A>)
where
    P: Send + 'static,
    A: Clone + Send + 'static,
{
    let Some(payload) = running.payload() else { return };
    // What the panicking call leaves half done, it owns: the payload is gone, and the context is only read.
    match panic::catch_unwind(AssertUnwindSafe(|| worker.work(payload, running.context()))) {
        Ok(answer) => running.finish(answer),
        Err(panic) => running.crash(message(&*panic)),
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        (None, None) => "a panic without a message",
    }
}
