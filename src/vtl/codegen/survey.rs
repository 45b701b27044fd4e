//! What a template does as a whole, which decides how its parts are written: names that it sets, names
//! that it may make while rendering, macros, blocks.

use std::collections::HashSet;

use super::super::ast::{Block, Expr, MacroDefinition, Reference, StatementKind, StepKind};

/// Finds names that are set, whether names are made while rendering, and macros, inner ones first.
pub(super) fn survey<'b>(
    block: &'b Block,
    assigned: &mut HashSet<String>,
    dynamic: &mut bool,
    macros: &mut Vec<&'b MacroDefinition>,
) {
    for statement in block {
        match &statement.kind {
            StatementKind::Text(_)
            | StatementKind::Stop
            | StatementKind::Literal(_)
            | StatementKind::Fails(_)
            | StatementKind::Break(None) => {}
            StatementKind::Reference(reference) => {
                survey_reference(reference, assigned, dynamic, macros);
            }
            StatementKind::Set { target, value } => {
                if target.steps.is_empty()
                    && let Some(root) = &target.root
                {
                    assigned.insert(root.clone());
                }
                survey_reference(target, assigned, dynamic, macros);
                survey_expr(value, assigned, dynamic, macros);
            }
            StatementKind::If { branches, otherwise } => {
                for (condition, block) in branches {
                    survey_expr(condition, assigned, dynamic, macros);
                    survey(block, assigned, dynamic, macros);
                }
                if let Some(block) = otherwise {
                    survey(block, assigned, dynamic, macros);
                }
            }
            StatementKind::Foreach { variable, source, body } => {
                assigned.insert(variable.clone());
                survey_expr(source, assigned, dynamic, macros);
                survey(body, assigned, dynamic, macros);
            }
            StatementKind::Macro(definition) => {
                assigned.extend(definition.parameters.iter().cloned());
                survey(&definition.body, assigned, dynamic, macros);
                macros.push(definition);
            }
            StatementKind::Define { name, body } => {
                assigned.insert(name.clone());
                survey(body, assigned, dynamic, macros);
            }
            StatementKind::Evaluate(value) => {
                *dynamic = true;
                survey_expr(value, assigned, dynamic, macros);
            }
            StatementKind::Break(Some(value)) => survey_expr(value, assigned, dynamic, macros),
            StatementKind::Call(call) => {
                for argument in &call.arguments {
                    survey_expr(&argument.value, assigned, dynamic, macros);
                }
                if let Some(body) = &call.body {
                    survey(body, assigned, dynamic, macros);
                }
            }
        }
    }
}

/// Whether a statement outside of strings makes a block.
pub(super) fn has_blocks(block: &Block) -> bool {
    block.iter().any(|statement| match &statement.kind {
        StatementKind::Define { .. } => true,
        StatementKind::If { branches, otherwise } => {
            branches.iter().any(|(_, block)| has_blocks(block))
                || otherwise.as_ref().is_some_and(has_blocks)
        }
        StatementKind::Foreach { body, .. } => has_blocks(body),
        StatementKind::Macro(definition) => has_blocks(&definition.body),
        StatementKind::Call(call) => call.body.is_some(),
        _ => false,
    })
}

fn survey_reference<'b>(
    reference: &'b Reference,
    assigned: &mut HashSet<String>,
    dynamic: &mut bool,
    macros: &mut Vec<&'b MacroDefinition>,
) {
    for step in &reference.steps {
        match &step.kind {
            StepKind::Property(_) => {}
            StepKind::Method(_, arguments) => {
                for argument in arguments {
                    survey_expr(argument, assigned, dynamic, macros);
                }
            }
            StepKind::Index(index) => survey_expr(index, assigned, dynamic, macros),
        }
    }
}

fn survey_expr<'b>(
    expr: &'b Expr,
    assigned: &mut HashSet<String>,
    dynamic: &mut bool,
    macros: &mut Vec<&'b MacroDefinition>,
) {
    match expr {
        Expr::Integer(_)
        | Expr::Long(_)
        | Expr::Big(_)
        | Expr::Double(_)
        | Expr::Bool(_)
        | Expr::Text(_)
        | Expr::Null => {}
        Expr::Interpolated(string) => survey(&string.body, assigned, dynamic, macros),
        Expr::Reference(reference) => survey_reference(reference, assigned, dynamic, macros),
        Expr::List(elements) => {
            for element in elements {
                survey_expr(element, assigned, dynamic, macros);
            }
        }
        Expr::Map(entries) => {
            for (key, value) in entries {
                survey_expr(key, assigned, dynamic, macros);
                survey_expr(value, assigned, dynamic, macros);
            }
        }
        Expr::Range(bounds) => {
            survey_expr(&bounds.0, assigned, dynamic, macros);
            survey_expr(&bounds.1, assigned, dynamic, macros);
        }
        Expr::Binary(_, operands) => {
            survey_expr(&operands.left, assigned, dynamic, macros);
            survey_expr(&operands.right, assigned, dynamic, macros);
        }
        Expr::Not(operand) => survey_expr(operand, assigned, dynamic, macros),
    }
}
