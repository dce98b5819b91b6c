//! Who goes next: the oldest message whose thread has nobody under way.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::index::Entry;

/// The messages that are left, handed out to several threads.
#[derive(Debug)]
pub(super) struct Schedule {
    left: Mutex<Left>,
    changed: Condvar,
}

#[derive(Debug)]
struct Left {
    /// Threads with a message that may go now, by the number of that message: the oldest has the lowest.
    ready: BinaryHeap<Reverse<(usize, u32)>>,
    /// Of each thread what is left, oldest first.
    threads: BTreeMap<u32, VecDeque<(usize, Entry)>>,
    under_way: usize,
    stopped: bool,
}

/// A message under way; its thread waits until it is given back.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) entry: Entry,
    thread: u32,
}

impl Schedule {
    pub(super) fn new(entries: Vec<Entry>) -> Self {
        let mut threads: BTreeMap<u32, VecDeque<(usize, Entry)>> = BTreeMap::new();
        for (number, entry) in entries.into_iter().enumerate() {
            threads.entry(entry.thread).or_default().push_back((number, entry));
        }
        let first =
            |(thread, queue): (&u32, &VecDeque<(usize, Entry)>)| Some(Reverse((queue.front()?.0, *thread)));
        let ready = threads.iter().filter_map(first).collect();
        Self {
            left: Mutex::new(Left { ready, threads, under_way: 0, stopped: false }),
            changed: Condvar::new(),
        }
    }

    fn left(&self) -> MutexGuard<'_, Left> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next message; waits while all that is left belongs to threads under way. Nothing when all is done.
    pub(super) fn next(&self) -> Option<Turn> {
        let mut left = self.left();
        loop {
            if left.stopped {
                return None;
            }
            if let Some(Reverse((_, thread))) = left.ready.pop() {
                let (_, entry) = left.threads.get_mut(&thread)?.pop_front()?;
                left.under_way += 1;
                return Some(Turn { entry, thread });
            }
            if left.under_way == 0 {
                return None;
            }
            left = self.changed.wait(left).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The message of this turn is settled: its thread goes on.
    pub(super) fn settled(&self, turn: &Turn) {
        let mut left = self.left();
        left.under_way -= 1;
        let next = left.threads.get(&turn.thread).and_then(|queue| queue.front()).map(|(number, _)| *number);
        match next {
            Some(number) => left.ready.push(Reverse((number, turn.thread))),
            None => drop(left.threads.remove(&turn.thread)),
        }
        self.changed.notify_all();
    }

    /// The message of this turn has to wait for another run: so has the rest of its thread, which comes back.
    pub(super) fn put_off(&self, turn: &Turn) -> Vec<Entry> {
        let mut left = self.left();
        left.under_way -= 1;
        let rest = left.threads.remove(&turn.thread).unwrap_or_default();
        self.changed.notify_all();
        rest.into_iter().map(|(_, entry)| entry).collect()
    }

    /// Nobody goes any more.
    pub(super) fn stop(&self) {
        self.left().stopped = true;
        self.changed.notify_all();
    }

    /// How many have not had their turn.
    pub(super) fn remaining(&self) -> usize {
        self.left().threads.values().map(VecDeque::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::Place;
    use std::path::PathBuf;

    fn schedule(threads: &[u32]) -> Schedule {
        let entry = |(number, thread): (usize, &u32)| Entry {
            place: Place::File(PathBuf::from(number.to_string())),
            date: 0,
            thread: *thread,
        };
        Schedule::new(threads.iter().enumerate().map(entry).collect())
    }

    fn next(schedule: &Schedule) -> (String, Turn) {
        let turn = schedule.next().unwrap();
        (turn.entry.place.to_string(), turn)
    }

    #[test]
    fn a_thread_waits_for_its_message_and_others_go_on() {
        let schedule = schedule(&[7, 7, 8, 7, 9]);
        let (first, of_seven) = next(&schedule);
        let (second, _of_eight) = next(&schedule);
        let (third, _of_nine) = next(&schedule);
        assert_eq!([first, second, third], ["0", "2", "4"]);
        schedule.settled(&of_seven);
        let (fourth, of_seven) = next(&schedule);
        schedule.settled(&of_seven);
        assert_eq!([fourth, next(&schedule).0], ["1", "3"]);
    }

    #[test]
    fn what_is_put_off_takes_its_thread_along() {
        let schedule = schedule(&[7, 7, 8, 7]);
        let (_, of_seven) = next(&schedule);
        let rest = schedule.put_off(&of_seven);
        assert_eq!(rest.iter().map(|entry| entry.place.to_string()).collect::<Vec<_>>(), ["1", "3"]);
        let (only, of_eight) = next(&schedule);
        schedule.settled(&of_eight);
        assert_eq!(only, "2");
        assert!(schedule.next().is_none());
    }

    #[test]
    fn nobody_goes_after_a_stop() {
        let schedule = schedule(&[1, 2, 3]);
        let _turn = next(&schedule);
        schedule.stop();
        assert!(schedule.next().is_none());
        assert_eq!(schedule.remaining(), 2);
    }
}
