//! Walking a tree: every direct child of a node, in source order.

use crate::ir::{Arm, Block, Call, Kind, Node, Param};

/// Calls `visit` with every direct child of `node`, in source order. Bodies of methods, classes and
/// blocks are children too.
pub fn children<'a>(node: &'a Node, visit: &mut dyn FnMut(&'a Node)) {
    match &node.kind {
        Kind::Nil
        | Kind::True
        | Kind::False
        | Kind::SelfRef
        | Kind::Int(_)
        | Kind::Float(_)
        | Kind::Str(_)
        | Kind::Sym(_)
        | Kind::Local(_)
        | Kind::Ivar(_)
        | Kind::Cvar(_)
        | Kind::Gvar(_)
        | Kind::Const(_)
        | Kind::Jump
        | Kind::Alias(..) => {}
        Kind::Interp(interp) => interp.parts.iter().for_each(visit),
        Kind::Array(nodes) | Kind::Yield(nodes) | Kind::Seq(nodes) | Kind::Other(nodes) => {
            nodes.iter().for_each(visit);
        }
        Kind::Hash(pairs) => {
            for pair in pairs {
                visit(&pair.key);
                visit(&pair.value);
            }
        }
        Kind::Range(ends) | Kind::And(ends) | Kind::Or(ends) => {
            visit(&ends.0);
            visit(&ends.1);
        }
        Kind::Call(call) | Kind::Super(call) => call_children(call, visit),
        Kind::Assign(assign) => {
            visit(&assign.target);
            visit(&assign.value);
        }
        Kind::MultiAssign(assign) => {
            assign.targets.iter().for_each(&mut *visit);
            visit(&assign.value);
        }
        Kind::Not(inner)
        | Kind::Defined(inner)
        | Kind::Splat(inner)
        | Kind::DoubleSplat(inner)
        | Kind::BlockPass(inner) => visit(inner),
        Kind::If(branches) => {
            visit(&branches.cond);
            visit(&branches.then);
            visit(&branches.otherwise);
        }
        Kind::Case(case) | Kind::Match(case) => {
            case.subject.iter().for_each(&mut *visit);
            for Arm { tests, guard, body } in &case.arms {
                tests.iter().for_each(&mut *visit);
                guard.iter().for_each(&mut *visit);
                visit(body);
            }
            case.otherwise.iter().for_each(visit);
        }
        Kind::Loop(repeat) => {
            if let Some((target, collection)) = &repeat.each {
                visit(target);
                visit(collection);
            }
            repeat.cond.iter().for_each(&mut *visit);
            visit(&repeat.body);
        }
        Kind::Begin(begin) => {
            visit(&begin.body);
            for rescue in &begin.rescues {
                rescue.classes.iter().for_each(&mut *visit);
                rescue.binding.iter().for_each(&mut *visit);
                visit(&rescue.body);
            }
            begin.otherwise.iter().for_each(&mut *visit);
            begin.ensure.iter().for_each(visit);
        }
        Kind::Return(value) | Kind::Break(value) | Kind::Next(value) => {
            if let Some(value) = value {
                visit(value);
            }
        }
        Kind::Lambda(block) => block_children(block, visit),
        Kind::Def(def) => {
            def.singleton.iter().for_each(&mut *visit);
            param_children(&def.params, visit);
            visit(&def.body);
        }
        Kind::Module(module) => {
            module.superclass.iter().for_each(&mut *visit);
            visit(&module.body);
        }
        Kind::Out(out) => visit(&out.value),
    }
}

fn call_children<'a>(call: &'a Call, visit: &mut dyn FnMut(&'a Node)) {
    call.recv.iter().for_each(&mut *visit);
    call.args.iter().for_each(&mut *visit);
    call.block_arg.iter().for_each(&mut *visit);
    if let Some(block) = &call.block {
        block_children(block, visit);
    }
}

fn block_children<'a>(block: &'a Block, visit: &mut dyn FnMut(&'a Node)) {
    param_children(&block.params, visit);
    visit(&block.body);
}

fn param_children<'a>(params: &'a [Param], visit: &mut dyn FnMut(&'a Node)) {
    for param in params {
        param.default.iter().for_each(&mut *visit);
        param.inner.iter().for_each(&mut *visit);
    }
}

/// Calls `visit` with the node and everything below it, parents first. `visit` says whether to go
/// into the node.
pub fn each<'a>(node: &'a Node, visit: &mut dyn FnMut(&'a Node) -> bool) {
    if visit(node) {
        children(node, &mut |child| each(child, visit));
    }
}
