//! Servos on a wire: start reading here.

use crate::device::Device;
use crate::packet::{Packet, Parser};
use crate::wire::Wire;
use crate::{EmulatorConfig, EmulatorError, Fault, FaultHandle, Observer};
use std::collections::VecDeque;
use std::time::Duration;
use turnkey_core::ServoId;
use turnkey_core::servo::{HardwareError, ServoPhysics};

/// Servos without a terminal and without a clock: what a client writes comes in with the time, what it reads goes out.
pub struct Bus {
    pub(crate) devices: Vec<Device>,
    pub(crate) wire: Wire,
    /// What goes wrong at the moment.
    pub(crate) active: Vec<Fault>,
    physics: Box<dyn ServoPhysics + Send>,
    parser: Parser,
    /// Packets that are complete at a time, with the baud rate they come at.
    coming: VecDeque<(Duration, Packet, u32)>,
    torques: Vec<f64>,
    /// Time that has passed for the physics.
    now: Duration,
    supply_volts: f64,
    faults: FaultHandle,
    observer: Observer,
}

impl Bus {
    /// Servos that are powered and have booted, at time 0. Horn by horn, `physics` is what they turn.
    ///
    /// # Errors
    /// When the configuration is none that servos could have, or the physics has not one horn a servo.
    pub fn new(config: &EmulatorConfig, physics: impl ServoPhysics + Send + 'static) -> Result<Self, EmulatorError> {
        config.check()?;
        let refuse = |field: &str, expected: String, got: String| {
            Err(EmulatorError::Config { field: field.into(), expected, got })
        };
        let (servos, horns, step) = (config.servos.len(), physics.horns(), physics.step_secs());
        if servos != horns {
            return refuse("physics", format!("one horn a servo, {servos}"), horns.to_string());
        }
        if !(1e-5..=0.1).contains(&step) {
            return refuse("physics.step_secs", "0.00001 to 0.1 s".into(), step.to_string());
        }
        let supply_volts = config.supply_volts.unwrap_or(config.servos[0].model.model().nominal_volts);
        let devices = config.servos.iter().enumerate();
        let devices = devices.map(|(index, servo)| Device::new(servo, supply_volts, physics.horn(index))).collect();
        let bus = Self {
            devices,
            wire: Wire::new(config.timing, config.seed),
            active: Vec::new(),
            physics: Box::new(physics),
            parser: Parser::default(),
            coming: VecDeque::new(),
            torques: vec![0.0; servos],
            now: Duration::ZERO,
            supply_volts,
            faults: FaultHandle::default(),
            observer: Observer::default(),
        };
        bus.publish();
        Ok(bus)
    }

    /// Makes things go wrong.
    #[must_use]
    pub fn faults(&self) -> FaultHandle {
        self.faults.clone()
    }

    /// Looks at the servos.
    #[must_use]
    pub fn observer(&self) -> Observer {
        self.observer.clone()
    }

    /// A client writes `bytes` at time `at`, with its port at `baud`. Servos hear them in [`Bus::advance`].
    pub fn receive(&mut self, bytes: &[u8], at: Duration, baud: u32) {
        let (end, was_quiet) = self.wire.carry(bytes.len(), at, baud);
        if was_quiet {
            self.parser.forget();
        }
        for packet in self.parser.feed(bytes) {
            let due = end.saturating_sub(self.wire.bytes(packet.bytes_behind, baud));
            self.coming.push_back((due, packet, baud));
        }
    }

    /// Lets time pass up to `to`: servos hear what is complete by then, and move.
    ///
    /// # Errors
    /// When the physics can't go on.
    pub fn advance(&mut self, to: Duration) -> Result<(), EmulatorError> {
        self.meet_faults();
        while let Some((due, packet, baud)) = self.coming.pop_front_if(|(due, ..)| *due <= to) {
            self.pass(due)?;
            self.observer.update(|state| {
                state.packets += u64::from(packet.intact);
                state.damaged_packets += u64::from(!packet.intact);
            });
            self.execute(&packet, due.max(self.now), baud);
        }
        self.pass(to)?;
        self.publish();
        Ok(())
    }

    /// Lets the clock go on to `to` while the physics stands still: for a machine too busy to keep up.
    pub fn skip(&mut self, to: Duration) {
        let skipped = to.saturating_sub(self.now);
        self.now += skipped;
        self.observer.update(|state| state.skipped += skipped);
    }

    /// What the client reads by `now`.
    pub fn answer(&mut self, now: Duration) -> Vec<u8> {
        self.wire.delivered(now)
    }

    /// When there is something to do next: bytes to deliver, a packet to hear, a step of the physics.
    #[must_use]
    pub fn next_event(&self) -> Duration {
        let step = self.now + Duration::from_secs_f64(self.physics.step_secs());
        let events = [self.wire.due(), self.coming.front().map(|(due, ..)| *due)];
        events.into_iter().flatten().fold(step, Duration::min)
    }

    /// The physics' clock.
    #[must_use]
    pub fn time(&self) -> Duration {
        self.now
    }

    fn pass(&mut self, to: Duration) -> Result<(), EmulatorError> {
        let dt = self.physics.step_secs();
        let step = Duration::from_secs_f64(dt);
        while self.now + step <= to {
            self.now += step;
            for (index, device) in self.devices.iter_mut().enumerate() {
                self.torques[index] = device.step(dt, self.physics.horn(index), self.now);
            }
            self.physics.advance(&self.torques).map_err(EmulatorError::Physics)?;
        }
        Ok(())
    }

    /// Has servos meet what was injected or cleared since.
    fn meet_faults(&mut self) {
        let now = self.now;
        for event in self.faults.take_events() {
            match event {
                Fault::Reboot(id) => self.with_id(id).for_each(|device| device.boot(now)),
                Fault::Overload(id) => self.with_id(id).for_each(|device| device.raise(HardwareError::OVERLOAD)),
                _ => {}
            }
        }
        let active = self.faults.active();
        if active == self.active {
            return;
        }
        self.active = active;
        let volts = self.active.iter().fold(self.supply_volts, |volts, fault| match fault {
            Fault::BrownOut(low) => volts.min(*low),
            _ => volts,
        });
        for device in &mut self.devices {
            let id = ServoId(device.id());
            device.power(!self.active.contains(&Fault::Missing(id)), volts, now);
            device.force_heat(self.active.contains(&Fault::Overheating(id)));
        }
    }

    fn with_id(&mut self, id: ServoId) -> impl Iterator<Item = &mut Device> {
        self.devices.iter_mut().filter(move |device| device.id() == id.0)
    }

    fn publish(&self) {
        self.observer.update(|state| {
            state.servos.clear();
            state.servos.extend(self.devices.iter().map(|device| device.view(self.now)));
            state.time = self.now;
        });
    }
}
