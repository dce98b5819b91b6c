//! Who goes next: the oldest message whose thread has nobody under way.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::num::NonZeroU32;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::index::Entry;

/// The messages that are left, handed out to several threads.
#[derive(Debug)]
pub(super) struct Schedule {
    left: Mutex<Left>,
    changed: Condvar,
}

/// Messages go by their numbers: the oldest has the lowest.
#[derive(Debug)]
struct Left {
    /// Nothing in the place of those that had their turn.
    entries: Vec<Option<Entry>>,
    /// Of each message the next one of its thread.
    next: Vec<Option<Number>>,
    /// The first of each thread that has nobody under way.
    ready: BinaryHeap<Reverse<Number>>,
    under_way: usize,
    stopped: bool,
}

/// Counted from 1, so that none takes no more room: there may be millions of messages.
type Number = NonZeroU32;

/// A message under way; its thread waits until it is given back.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) entry: Entry,
    number: Number,
}

impl Schedule {
    pub(super) fn new(entries: Vec<Entry>) -> Self {
        let mut next: Vec<Option<Number>> = vec![None; entries.len()];
        // Of each thread, by its name, the first message of those that were looked at: from the youngest to the oldest.
        let mut first: Vec<Option<Number>> = Vec::new();
        for (at, (entry, next)) in entries.iter().zip(&mut next).enumerate().rev() {
            let thread = entry.thread as usize;
            if thread >= first.len() {
                first.resize(thread + 1, None);
            }
            if let Some(first) = first.get_mut(thread) {
                *next = std::mem::replace(first, number(at));
            }
        }
        let left = Left {
            entries: entries.into_iter().map(Some).collect(),
            next,
            ready: first.into_iter().flatten().map(Reverse).collect(),
            under_way: 0,
            stopped: false,
        };
        Self { left: Mutex::new(left), changed: Condvar::new() }
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
            if let Some(Reverse(number)) = left.ready.pop() {
                let entry = left.take(number)?;
                left.under_way += 1;
                return Some(Turn { entry, number });
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
        if let Some(number) = left.after(turn.number) {
            left.ready.push(Reverse(number));
        }
        self.changed.notify_all();
    }

    /// The message of this turn has to wait for another run: so has the rest of its thread, which comes back.
    pub(super) fn put_off(&self, turn: &Turn) -> Vec<Entry> {
        let mut left = self.left();
        left.under_way -= 1;
        let mut rest = Vec::new();
        let mut number = left.after(turn.number);
        while let Some(at) = number {
            rest.extend(left.take(at));
            number = left.after(at);
        }
        self.changed.notify_all();
        rest
    }

    /// Nobody goes any more.
    pub(super) fn stop(&self) {
        self.left().stopped = true;
        self.changed.notify_all();
    }

    /// Those that have not had their turn.
    pub(super) fn rest(self) -> impl Iterator<Item = Entry> {
        let left = self.left.into_inner().unwrap_or_else(PoisonError::into_inner);
        left.entries.into_iter().flatten()
    }
}

impl Left {
    fn take(&mut self, number: Number) -> Option<Entry> {
        self.entries.get_mut(index(number))?.take()
    }

    fn after(&self, number: Number) -> Option<Number> {
        *self.next.get(index(number))?
    }
}

fn number(index: usize) -> Option<Number> {
    Number::new(u32::try_from(index + 1).ok()?)
}

fn index(number: Number) -> usize {
    number.get() as usize - 1
}

#[cfg(test)]
mod tests {
    use super::super::source::MessageSource;
    use super::*;
    use std::path::PathBuf;

    fn schedule(threads: &[u32]) -> Schedule {
        let entry = |(number, thread): (usize, &u32)| Entry {
            source: MessageSource::File(PathBuf::from(number.to_string())),
            date: 0,
            thread: *thread,
        };
        Schedule::new(threads.iter().enumerate().map(entry).collect())
    }

    fn next(schedule: &Schedule) -> (String, Turn) {
        let turn = schedule.next().unwrap();
        (turn.entry.source.to_string(), turn)
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
        assert_eq!(rest.iter().map(|entry| entry.source.to_string()).collect::<Vec<_>>(), ["1", "3"]);
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
        assert_eq!(schedule.rest().count(), 2);
    }
}
