//! The policy on its way from learner to control: one place, in which the newest wins.

use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use turnkey_sac::Actor;

/// A policy and how much experience it came from.
#[derive(Clone, Debug)]
pub(super) struct Published {
    pub(super) actor: Actor,
    /// Transitions that the learner had by then.
    pub(super) rows: u64,
}

/// The place. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Weights(Arc<Mutex<Place>>);

#[derive(Debug, Default)]
struct Place {
    policy: Option<Published>,
    /// Whether it has not been taken yet.
    fresh: bool,
}

impl Weights {
    /// Puts a policy there, in place of one that nobody took or that control gave back.
    pub(super) fn publish(&self, newest: Published) {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        place.fresh = true;
        let old = place.policy.replace(newest);
        drop(place);
        drop(old);
    }

    /// Takes the newest one in exchange for `policy`, if one has come since. Never waits: where the learner is just
    /// putting one there, it is taken the next time. In exchange, since memory is freed under a lock that the learner,
    /// whose memory it is, may hold.
    pub(super) fn take(&self, policy: &mut Published) {
        let mut place = match self.0.try_lock() {
            Ok(place) => place,
            Err(TryLockError::Poisoned(place)) => place.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        let Place { policy: newest, fresh } = &mut *place;
        if std::mem::take(fresh)
            && let Some(newest) = newest
        {
            std::mem::swap(newest, policy);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use turnkey_sac::{Sac, SacConfig};

    #[test]
    fn the_newest_policy_is_taken_once_and_one_that_is_being_put_there_is_not_waited_for() {
        let weights = Weights::default();
        let config = SacConfig { actor_hidden: vec![4], critic_hidden: vec![4], ..SacConfig::default() };
        let actor = Sac::new(&config, 2, 1, 0).unwrap().actor();
        let mut policy = Published { actor: actor.clone(), rows: 0 };
        let mut taken = |weights: &Weights| {
            weights.take(&mut policy);
            policy.rows
        };
        assert_eq!(taken(&weights), 0);
        (1..=3).for_each(|rows| weights.publish(Published { actor: actor.clone(), rows }));
        let busy = weights.0.lock().unwrap();
        assert_eq!(taken(&weights), 0, "it waited");
        drop(busy);
        assert_eq!(taken(&weights), 3);
        assert_eq!(taken(&weights), 3, "the one it gave back came again");
        weights.publish(Published { actor, rows: 4 });
        assert_eq!(taken(&weights), 4);
    }
}
