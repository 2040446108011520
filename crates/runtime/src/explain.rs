//! `--explain`: a plan for people, or as JSON.

use insula_launch::plan::Plan;
use insula_oci::escaped;

/// The numbered plan.
pub fn text(plan: &Plan) -> String {
    let mut text = String::from("insula would do this, and has done none of it:\n\n");
    for line in plan.to_string().lines() {
        text.push_str(&format!("{}\n", escaped(line)));
    }
    text
}

/// The same as data: `{"birth": {…}, "steps": [{"number", "who", "step", "what", "why"}]}`.
pub fn json(plan: &Plan) -> String {
    let joins: Vec<_> = plan
        .birth
        .joins()
        .iter()
        .map(|join| serde_json::json!({ "kind": join.kind.name(), "from": join.from }))
        .collect();
    let new: Vec<_> = plan.birth.makes().iter().map(|kind| kind.name()).collect();
    let steps: Vec<_> = plan
        .steps
        .iter()
        .enumerate()
        .map(|(i, step)| {
            serde_json::json!({
                "number": i + 1,
                "who": step.who().to_string(),
                "step": step.name(),
                "what": step.to_string(),
                "why": step.why(),
            })
        })
        .collect();
    let all = serde_json::json!({ "birth": { "joins": joins, "new": new }, "steps": steps });
    format!("{all:#}\n")
}
