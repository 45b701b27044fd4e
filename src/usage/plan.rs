//! A usage plan's definition.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;

use super::period::Quota;
use crate::limits::USAGE_PLAN_SERIES_MAX;
use crate::throttle::Rate;

/// A plan as it is now, for all who are in it.
#[derive(Debug)]
pub(super) struct PlanCell {
    pub(super) id: Box<str>,
    pub(super) number: PlanNumber,
    pub(super) plan: ArcSwap<Plan>,
    /// Whether it is a plan no more: what its members count is nobody's.
    gone: AtomicBool,
}

impl PlanCell {
    /// A plan that is counted under a number.
    pub(super) fn new(plan: Plan, number: PlanNumber) -> Self {
        let (id, gone) = (plan.id.clone(), AtomicBool::new(false));
        Self { id, number, plan: ArcSwap::from_pointee(plan), gone }
    }

    /// Says that it is a plan no more; its members open nothing from now on.
    pub(super) fn leave(&self) {
        let id = self.id.clone();
        self.plan.store(Arc::new(Plan { id, throttle: None, quota: None, stages: [].into() }));
        self.gone.store(true, Ordering::Release);
    }

    pub(super) fn is_present(&self) -> bool {
        !self.gone.load(Ordering::Acquire)
    }
}

/// Under which number a plan's requests are counted: below [`USAGE_PLAN_SERIES_MAX`] its own, which it
/// keeps until the process ends, else the one that all further plans share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PlanNumber(u16);

impl PlanNumber {
    /// The number of whatever comes after so many plans.
    pub(super) fn after(plans: usize) -> Self {
        Self(u16::try_from(plans).map_or(USAGE_PLAN_SERIES_MAX, |it| it.min(USAGE_PLAN_SERIES_MAX)))
    }

    /// As an index, at most [`USAGE_PLAN_SERIES_MAX`].
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A usage plan as requests need it. Immutable; a change makes another.
#[derive(Debug)]
pub struct Plan {
    /// Its id.
    pub id: Box<str>,
    /// Limit of each key.
    pub throttle: Option<Rate>,
    /// Quota of each key.
    pub quota: Option<Quota>,
    /// Stages it gives access to.
    pub stages: Box<[PlanStage]>,
}

/// A stage of a plan.
#[derive(Debug)]
pub struct PlanStage {
    /// Its API.
    pub api_id: Box<str>,
    /// Its name.
    pub stage: Box<str>,
    /// Limits of each key for single methods: 20 at most on AWS, mostly none.
    pub methods: Box<[MethodLimit]>,
    /// Place of the first of them among all of the plan.
    pub first_method: u32,
}

/// A limit of each key for one method.
#[derive(Clone, Debug)]
pub struct MethodLimit {
    /// Path of its resource.
    pub path: Box<str>,
    /// Its name; ANY: every method of the path that has no limit of its own.
    pub method: Box<str>,
    /// The limit.
    pub rate: Rate,
}

impl Plan {
    /// The plan's stage, if it has that one. A plan has few stages, so they are compared one by one.
    #[inline]
    pub fn stage(&self, api_id: &str, stage: &str) -> Option<&PlanStage> {
        self.stage_place(api_id, stage).map(|place| &self.stages[place])
    }

    #[inline]
    pub(super) fn stage_place(&self, api_id: &str, stage: &str) -> Option<usize> {
        self.stages.iter().position(|it| *it.api_id == *api_id && *it.stage == *stage)
    }

    /// How many limits of single methods it has.
    pub fn method_count(&self) -> usize {
        self.stages.iter().map(|stage| stage.methods.len()).sum()
    }
}

impl PlanStage {
    /// The limit of a request's method, and its place among all of the plan. `name` is the HTTP method,
    /// also where an ANY method serves it: the limit of that very method, else the path's of ANY, which
    /// all methods share that have none of their own.
    #[inline]
    pub fn method(&self, path: &str, name: &str) -> Option<(usize, Rate)> {
        let place_of = |name: &str| {
            self.methods.iter().position(|it| *it.path == *path && *it.method == *name)
        };
        let place = place_of(name).or_else(|| place_of("ANY"))?;
        Some((self.first_method as usize + place, self.methods[place].rate))
    }
}
