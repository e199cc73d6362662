//! One emulated servo: its control table over core's servo model.

use crate::config::EmulatedServo;
use crate::memory::{self, Memory, Values};
use crate::observer::ServoView;
use crate::table;
use std::time::Duration;
use turnkey_core::ServoId;
use turnkey_core::servo::{
    Alarm, Control, HardwareError, Horn, OperatingMode, RADIANS_PER_SEC_PER_VELOCITY_UNIT, RADIANS_PER_TICK, Servo,
    ServoSettings, ServoState, TICKS_PER_TURN,
};

/// How long a servo is silent when it boots.
const BOOT: Duration = Duration::from_millis(100);
/// Below this supply its processor is off, V. Assumed.
const LEAST_VOLTS: f64 = 6.0;
/// Ticks from the goal within which the servo has arrived. Assumed.
const ARRIVED: i64 = 20;

/// A servo on the bus.
pub(crate) struct Device {
    pub(crate) memory: Memory,
    servo: Servo,
    state: ServoState,
    control: Control,
    alarm: Alarm,
    /// What the position register says at 0 rad, less the homing offset.
    base: i64,
    zero_ticks: i64,
    horn: Horn,
    torque: f64,
    powered: bool,
    awake_from: Duration,
    booted: Duration,
    /// When it last heard an instruction packet.
    pub(crate) heard: Duration,
    pub(crate) registered: Option<Values>,
    /// A temperature that its sensor reads whatever the motor's is, degrees C.
    forced_temperature: Option<f64>,
    goals_taken: Option<(i32, i32)>,
    pub(crate) goals_refused: u32,
    watchdog_trips: u32,
    boots: u32,
}

impl Device {
    /// A servo that is powered at time 0, and has booted.
    pub(crate) fn new(config: &EmulatedServo, supply_volts: f64, horn: Horn) -> Self {
        let servo = Servo { supply_volts, ..Servo::new(config.model) };
        let mut memory = Memory::new(servo.model);
        memory.set(table::ID, i64::from(config.id.0));
        let baud = table::BAUDS.iter().position(|baud| *baud == config.baud);
        memory.set(table::BAUD, baud.map_or(1, |baud| baud as i64));
        for &(address, value) in &config.eeprom {
            memory.set(usize::from(address), i64::from(value));
        }
        let mut device = Self {
            memory,
            servo,
            state: ServoState::holding(0.0),
            control: Control::Position { amperes: None },
            alarm: Alarm::default(),
            base: 0,
            zero_ticks: i64::from(config.zero_ticks),
            horn,
            torque: 0.0,
            powered: true,
            awake_from: Duration::ZERO,
            booted: Duration::ZERO,
            heard: Duration::ZERO,
            registered: None,
            forced_temperature: None,
            goals_taken: None,
            goals_refused: 0,
            watchdog_trips: 0,
            boots: 0,
        };
        device.boot(Duration::ZERO);
        device.awake_from = Duration::ZERO;
        device
    }

    pub(crate) fn id(&self) -> u8 {
        self.memory.unsigned(table::ID) as u8
    }

    /// The second id that it obeys and never answers to; 253 and above is none.
    pub(crate) fn secondary_id(&self) -> Option<u8> {
        Some(self.memory.unsigned(table::SECONDARY_ID) as u8).filter(|id| *id <= 252)
    }

    pub(crate) fn baud(&self) -> u32 {
        table::BAUDS[(self.memory.unsigned(table::BAUD) as usize).min(table::BAUDS.len() - 1)]
    }

    pub(crate) fn return_delay(&self) -> Duration {
        Duration::from_micros(2 * self.memory.unsigned(table::RETURN_DELAY) as u64)
    }

    pub(crate) fn is_awake(&self, now: Duration) -> bool {
        self.powered && now >= self.awake_from
    }

    /// Bit 7 of every answer's error while a hardware error is set.
    pub(crate) fn alert(&self) -> u8 {
        u8::from(self.hardware_error() != HardwareError::default()) << 7
    }

    fn hardware_error(&self) -> HardwareError {
        HardwareError(self.memory.unsigned(table::HARDWARE_ERROR) as u8)
    }

    fn is_shut_down(&self) -> bool {
        self.hardware_error().has(HardwareError(self.memory.unsigned(table::SHUTDOWN) as u8))
    }

    /// Starts over: RAM as from the factory, torque off, silent for a while. The motor stays as warm as it is.
    pub(crate) fn boot(&mut self, now: Duration) {
        self.memory.fill(|address| address >= table::RAM);
        self.memory.set(table::GOAL_PWM, self.memory.unsigned(table::PWM_LIMIT));
        self.memory.set(table::GOAL_CURRENT, self.memory.unsigned(table::CURRENT_LIMIT));
        self.state.torque_enabled = false;
        self.alarm = Alarm::default();
        self.registered = None;
        self.booted = now;
        self.awake_from = now + BOOT;
        self.heard = now;
        self.boots += 1;
        self.count_turns_anew();
        self.goal_is_here();
    }

    /// As it left the factory, but for what `keeps` by address; then it boots.
    pub(crate) fn factory_reset(&mut self, keeps: &[usize], now: Duration) {
        self.memory.fill(|address| address < table::RAM && !keeps.contains(&address));
        self.boot(now);
    }

    /// The present position becomes the one within its turn.
    pub(crate) fn count_turns_anew(&mut self) {
        let turn = TICKS_PER_TURN as i64;
        let raw = self.ticks() + self.zero_ticks;
        self.base = self.zero_ticks - turn * raw.div_euclid(turn);
        self.configure();
    }

    /// Tells it to go where it is.
    pub(crate) fn goal_is_here(&mut self) {
        self.memory.set(table::GOAL_POSITION, self.present_position());
        self.configure();
        self.state.start_from(self.direction() * self.horn.position);
    }

    /// 1, or -1 in reverse mode.
    fn direction(&self) -> f64 {
        if self.memory.unsigned(table::DRIVE_MODE) & 1 == 0 { 1.0 } else { -1.0 }
    }

    fn ticks(&self) -> i64 {
        (self.direction() * self.horn.position / RADIANS_PER_TICK).round() as i64
    }

    fn present_position(&self) -> i64 {
        self.ticks() + self.base + self.memory.signed(table::HOMING_OFFSET)
    }

    /// What registers say, as the model takes it.
    fn configure(&mut self) {
        let memory = &self.memory;
        let word = |address| memory.unsigned(address) as u16;
        self.servo.settings = ServoSettings {
            position_p_gain: word(table::POSITION_P),
            position_i_gain: word(table::POSITION_I),
            position_d_gain: word(table::POSITION_D),
            profile_velocity: memory.unsigned(table::PROFILE_VELOCITY) as u32,
            profile_acceleration: memory.unsigned(table::PROFILE_ACCELERATION) as u32,
            current_limit: Some(word(table::CURRENT_LIMIT)),
            pwm_limit: match memory.mode() {
                OperatingMode::Pwm => word(table::PWM_LIMIT),
                _ => word(table::PWM_LIMIT).min(memory.signed(table::GOAL_PWM).unsigned_abs() as u16),
            },
        };
        let amperes = memory.signed(table::GOAL_CURRENT) as f64 * self.servo.model.current_unit;
        self.control = match memory.mode() {
            OperatingMode::Current => Control::Current { amperes },
            OperatingMode::Velocity => Control::Velocity {
                velocity: memory.signed(table::GOAL_VELOCITY) as f64 * RADIANS_PER_SEC_PER_VELOCITY_UNIT,
                p_gain: word(table::VELOCITY_P),
                i_gain: word(table::VELOCITY_I),
            },
            OperatingMode::Position | OperatingMode::ExtendedPosition => Control::Position { amperes: None },
            OperatingMode::CurrentBasedPosition => Control::Position { amperes: Some(amperes.abs()) },
            OperatingMode::Pwm => Control::Pwm { units: memory.signed(table::GOAL_PWM) as f64 },
        };
        let goal = memory.signed(table::GOAL_POSITION) - memory.signed(table::HOMING_OFFSET) - self.base;
        self.state.goal = goal as f64 * RADIANS_PER_TICK;
        self.state.torque_enabled = memory.torque_enabled();
    }

    /// Bytes of its control table as they are now, or an error code.
    pub(crate) fn read(&mut self, address: usize, length: usize, now: Duration) -> Result<Vec<u8>, u8> {
        self.refresh(now);
        self.memory.read(address, length)
    }

    fn refresh(&mut self, now: Duration) {
        let (follows, follows_velocity) = self.state.trajectory();
        let position = self.present_position();
        let velocity = (self.direction() * self.horn.velocity / RADIANS_PER_SEC_PER_VELOCITY_UNIT).round() as i64;
        let trajectory =
            (follows / RADIANS_PER_TICK).round() as i64 + self.base + self.memory.signed(table::HOMING_OFFSET);
        let goal = self.memory.signed(table::GOAL_POSITION);
        let moving = velocity.abs() > self.memory.unsigned(table::MOVING_THRESHOLD);
        let arrived = i64::from((goal - position).abs() <= ARRIVED);
        let on_the_way = i64::from(self.memory.torque_enabled() && trajectory != goal);
        let pwm = self.pwm();
        for (address, value) in [
            (table::TICK, (now.saturating_sub(self.booted).as_millis() % 32_768) as i64),
            (table::MOVING, i64::from(moving)),
            (table::MOVING_STATUS, arrived | on_the_way << 1),
            (table::PRESENT_PWM, pwm),
            (table::PRESENT_CURRENT, (self.state.current / self.servo.model.current_unit).round() as i64),
            (table::PRESENT_VELOCITY, velocity),
            (table::PRESENT_POSITION, position),
            (table::VELOCITY_TRAJECTORY, (follows_velocity / RADIANS_PER_SEC_PER_VELOCITY_UNIT).round() as i64),
            (table::POSITION_TRAJECTORY, trajectory),
            (table::PRESENT_VOLTAGE, (self.servo.supply_volts * 10.0).round() as i64),
            (table::TEMPERATURE, self.temperature().round() as i64),
            (table::REGISTERED, i64::from(self.registered.is_some())),
        ] {
            self.memory.set(address, value);
        }
    }

    /// What the motor is driven with: what its current and its own voltage come from.
    fn pwm(&self) -> i64 {
        let model = self.servo.model;
        let own = self.direction() * self.horn.velocity / model.no_load_speed * model.nominal_volts;
        let volts = self.state.current * model.resistance() + own;
        let share = volts / self.servo.supply_volts;
        if self.state.torque_enabled && share.is_finite() { (share.clamp(-1.0, 1.0) * 885.0).round() as i64 } else { 0 }
    }

    fn temperature(&self) -> f64 {
        self.forced_temperature.unwrap_or(self.state.temperature)
    }

    /// Does what was planned and checked before.
    pub(crate) fn apply(&mut self, values: &Values, now: Duration) {
        for &(register, value) in values {
            let before = self.memory.unsigned(register.address);
            self.memory.set(register.address, value);
            match register.address {
                table::TORQUE => self.switch_torque(before != 0),
                table::OPERATING_MODE | table::DRIVE_MODE => self.change_mode(),
                table::WATCHDOG => self.heard = now,
                table::GOAL_POSITION => {
                    let (goal, (low, high)) = (value as i32, self.goals_taken.unwrap_or((i32::MAX, i32::MIN)));
                    self.goals_taken = Some((low.min(goal), high.max(goal)));
                }
                _ => {}
            }
        }
        self.configure();
    }

    fn switch_torque(&mut self, was_on: bool) {
        // A servo that has shut down takes the write and stays off.
        if self.is_shut_down() {
            self.memory.set(table::TORQUE, 0);
        }
        if self.memory.torque_enabled() && !was_on {
            if self.memory.mode() == OperatingMode::Position {
                self.count_turns_anew();
            }
            self.state.start_from(self.direction() * self.horn.position);
        }
    }

    fn change_mode(&mut self) {
        self.memory.set(table::GOAL_PWM, self.memory.unsigned(table::PWM_LIMIT));
        self.memory.set(table::GOAL_CURRENT, self.memory.unsigned(table::CURRENT_LIMIT));
        self.memory.set(table::GOAL_VELOCITY, 0);
        self.count_turns_anew();
        self.goal_is_here();
    }

    /// Whether it has the power to run, under this supply (V) and plugged in or not.
    pub(crate) fn power(&mut self, plugged_in: bool, volts: f64, now: Duration) {
        let powered = plugged_in && volts >= LEAST_VOLTS;
        if powered && !self.powered {
            self.boot(now);
        }
        self.powered = powered;
        self.servo.supply_volts = volts;
    }

    /// Its sensor reads 10 degrees above the limit, or the truth.
    pub(crate) fn force_heat(&mut self, forced: bool) {
        let limit = self.memory.unsigned(table::TEMPERATURE_LIMIT) as f64;
        self.forced_temperature = forced.then_some(limit + 10.0);
    }

    /// Sets bits of the hardware error register, which stay, and shuts down where they say so.
    pub(crate) fn raise(&mut self, error: HardwareError) {
        let all = self.hardware_error().with(error);
        self.memory.set(table::HARDWARE_ERROR, i64::from(all.0));
        if self.is_shut_down() && self.memory.torque_enabled() {
            self.memory.set(table::TORQUE, 0);
            self.configure();
        }
    }

    /// Lets `dt` seconds pass up to `now`; gives the torque on the horn, N m.
    pub(crate) fn step(&mut self, dt: f64, horn: Horn, now: Duration) -> f64 {
        self.horn = horn;
        if !self.is_awake(now) {
            self.state.torque_enabled = false;
        } else if self.state.torque_enabled {
            self.bark(now);
        }
        let direction = self.direction();
        let (position, velocity) = (direction * horn.position, direction * horn.velocity);
        self.torque = direction * self.servo.step_under(self.control, &mut self.state, dt, position, velocity);
        if self.is_awake(now) {
            self.watch(dt);
        }
        self.torque
    }

    fn watch(&mut self, dt: f64) {
        let tenths = |address| self.memory.unsigned(address) as f64 * 0.1;
        let hottest = self.memory.unsigned(table::TEMPERATURE_LIMIT) as f64;
        let volts = (tenths(table::MIN_VOLTAGE) - 1e-9, tenths(table::MAX_VOLTAGE) + 1e-9);
        let mut error = self.alarm.watch(&self.servo, &self.state, hottest, volts, dt);
        if self.forced_temperature.is_some_and(|reads| reads > hottest) {
            error = error.with(HardwareError::OVERHEATING);
        }
        if error != HardwareError::default() {
            self.raise(error);
        }
    }

    /// Stops it where no instruction packet was heard for as long as its watchdog waits.
    fn bark(&mut self, now: Duration) {
        let patience = Duration::from_millis(20 * self.memory.signed(table::WATCHDOG).max(0) as u64);
        if patience.is_zero() || now.saturating_sub(self.heard) <= patience {
            return;
        }
        self.watchdog_trips += 1;
        self.memory.set(table::WATCHDOG, -1);
        self.memory.set(table::GOAL_VELOCITY, 0);
        match self.memory.mode() {
            OperatingMode::Current => self.memory.set(table::GOAL_CURRENT, 0),
            OperatingMode::Pwm => self.memory.set(table::GOAL_PWM, 0),
            _ => {}
        }
        self.goal_is_here();
    }

    /// Counts a write that was refused, if it was of a goal.
    pub(crate) fn refuse(&mut self, address: usize, error: u8) {
        let is_limit = matches!(error, memory::RANGE_ERROR | memory::LIMIT_ERROR);
        self.goals_refused += u32::from(is_limit && (table::GOAL_PWM..table::TICK).contains(&address));
    }

    pub(crate) fn view(&self, now: Duration) -> ServoView {
        ServoView {
            id: ServoId(self.id()),
            baud: self.baud(),
            awake: self.is_awake(now),
            torque_enabled: self.state.torque_enabled,
            mode: self.memory.mode(),
            goal_position: self.memory.signed(table::GOAL_POSITION) as i32,
            present_position: self.present_position() as i32,
            goals_taken: self.goals_taken,
            goals_refused: self.goals_refused,
            hardware_error: self.hardware_error(),
            watchdog_tripped: self.memory.watchdog_tripped(),
            watchdog_trips: self.watchdog_trips,
            boots: self.boots,
            torque: self.torque,
            temperature: self.temperature(),
        }
    }
}
