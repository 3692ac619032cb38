//! Telling a recorder what to do while it records.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};

use rustix::event::{EventfdFlags, eventfd};

/// What a recorder can be told while it records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Take samples. What processes do is followed all the time.
    Enable,
    /// Take none until told otherwise.
    Disable,
    /// Hand out everything that was folded so far.
    Dump,
    /// End the recording, whatever still runs.
    Stop,
}

/// An order, and whom to tell what became of it.
pub(crate) type Told = (Order, Sender<Result<(), String>>);

/// Tells a recorder what to do, from any thread.
#[derive(Clone, Debug)]
pub struct Controller {
    orders: Sender<Told>,
    /// Wakes the recorder; both ends of it are ours.
    wake: Arc<OwnedFd>,
}

/// The recorder's side.
#[derive(Debug)]
pub(crate) struct Orders {
    orders: Receiver<Told>,
    wake: Arc<OwnedFd>,
}

/// An order that was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDone {
    /// The recording has ended, or ended before it came to the order.
    #[error("the recording has ended")]
    Ended,
    /// What was handed out could not be written; recording goes on.
    #[error("{0}")]
    NotWritten(String),
}

pub(crate) fn control() -> io::Result<(Controller, Orders)> {
    let wake = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
    let (tell, orders) = mpsc::channel();
    Ok((Controller { orders: tell, wake: Arc::clone(&wake) }, Orders { orders, wake }))
}

impl Controller {
    /// Tells the recorder, and waits until it has done so.
    ///
    /// # Errors
    /// Where nobody records any more, and of [`Order::Dump`] where that cannot be written.
    pub fn tell(&self, order: Order) -> Result<(), NotDone> {
        let (done, wait) = mpsc::channel();
        self.orders.send((order, done)).map_err(|_| NotDone::Ended)?;
        // Of a full counter, the only failure, the recorder is awake already.
        let _ = rustix::io::write(&*self.wake, &1_u64.to_ne_bytes());
        wait.recv().map_err(|_| NotDone::Ended)?.map_err(NotDone::NotWritten)
    }
}

impl Orders {
    /// What becomes readable when there are orders.
    pub(crate) fn fd(&self) -> &OwnedFd {
        &self.wake
    }

    /// The orders since the last call, first to last.
    pub(crate) fn take(&self) -> Vec<Told> {
        let mut count = [0; 8];
        let _ = rustix::io::read(&*self.wake, &mut count);
        self.orders.try_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_waited_for_and_none_is_lost() {
        let (controller, orders) = control().expect("an eventfd");
        assert_eq!(orders.take().len(), 0);
        let told = std::thread::scope(|scope| {
            let teller = scope.spawn(|| controller.tell(Order::Disable));
            let told = loop {
                if let Some((order, done)) = orders.take().pop() {
                    assert!(!teller.is_finished(), "it waits");
                    done.send(Ok(())).expect("somebody waits");
                    break order;
                }
                std::thread::yield_now();
            };
            assert_eq!(teller.join().expect("no panic"), Ok(()));
            told
        });
        assert_eq!(told, Order::Disable);
        drop(orders);
        assert_eq!(controller.tell(Order::Stop), Err(NotDone::Ended));
    }
}
