//! The map: how units hang together on a day, what passes from one to another, and what a
//! reorganisation makes of it. Each module may use those above it in this list, and none below:
//! succession, tree, route, landing, hierarchy, reorganisation, plan.

pub mod hierarchy;
pub mod landing;
pub mod plan;
pub mod reorganisation;
pub mod route;
pub mod succession;
pub mod tree;
