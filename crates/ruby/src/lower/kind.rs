//! The one match over Prism's node kinds.

use ruby_prism::{self as prism, Node as P};

use super::{Lower, bytes_name, nil, text};
use crate::ir::*;
use crate::template::MARKER;

fn const_kind(id: Name) -> Kind {
    Kind::Const(Box::new([id]))
}

fn regex_flags(ignore_case: bool, multi_line: bool, extended: bool, once: bool) -> String {
    [(ignore_case, 'i'), (multi_line, 'm'), (extended, 'x'), (once, 'o')]
        .into_iter()
        .filter_map(|(set, letter)| set.then_some(letter))
        .collect()
}

impl Lower<'_> {
    pub(super) fn kind(&mut self, node: &P<'_>, span: Span) -> Kind {
        match node {
            P::ProgramNode { .. } => {
                let n = get!(node, as_program_node);
                let mut body = self.list(&n.statements().body());
                if body.len() == 1 { body.remove(0).kind } else { Kind::Seq(body) }
            }
            P::StatementsNode { .. } => {
                let n = get!(node, as_statements_node);
                let body = n.body();
                if body.len() == 1
                    && let Some(only) = body.first()
                {
                    return self.node(&only).kind;
                }
                Kind::Seq(self.list(&body))
            }
            P::ParenthesesNode { .. } => {
                let n = get!(node, as_parentheses_node);
                match n.body() {
                    Some(body) => self.node(&body).kind,
                    None => Kind::Nil,
                }
            }
            P::NilNode { .. } => Kind::Nil,
            P::TrueNode { .. } => Kind::True,
            P::FalseNode { .. } => Kind::False,
            P::SelfNode { .. } => Kind::SelfRef,
            P::IntegerNode { .. } => {
                let value = get!(node, as_integer_node).value();
                let (negative, digits) = value.to_u32_digits();
                let wide = digits.iter().take(3).rev().fold(0i128, |acc, d| (acc << 32) | i128::from(*d));
                let wide = if negative { -wide } else { wide };
                Kind::Int(wide.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
            }
            P::FloatNode { .. } => Kind::Float(get!(node, as_float_node).value()),
            P::RationalNode { .. } | P::ImaginaryNode { .. } => Kind::Float(f64::NAN),
            P::StringNode { .. } => text(get!(node, as_string_node).unescaped()),
            P::SymbolNode { .. } => Kind::Sym(bytes_name(get!(node, as_symbol_node).unescaped())),
            P::XStringNode { .. } => {
                let n = get!(node, as_x_string_node);
                self.literal(Form::Command, n.unescaped(), span, "")
            }
            P::RegularExpressionNode { .. } => {
                let n = get!(node, as_regular_expression_node);
                let flags = regex_flags(n.is_ignore_case(), n.is_multi_line(), n.is_extended(), n.is_once());
                self.literal(Form::Regex, n.unescaped(), span, &flags)
            }
            P::MatchLastLineNode { .. } => {
                let n = get!(node, as_match_last_line_node);
                self.literal(Form::Regex, n.unescaped(), span, "")
            }
            P::InterpolatedStringNode { .. } => {
                let n = get!(node, as_interpolated_string_node);
                self.interp(Form::Str, &n.parts(), "")
            }
            P::InterpolatedSymbolNode { .. } => {
                let n = get!(node, as_interpolated_symbol_node);
                self.interp(Form::Sym, &n.parts(), "")
            }
            P::InterpolatedXStringNode { .. } => {
                let n = get!(node, as_interpolated_x_string_node);
                self.interp(Form::Command, &n.parts(), "")
            }
            P::InterpolatedRegularExpressionNode { .. } => {
                let n = get!(node, as_interpolated_regular_expression_node);
                let flags = regex_flags(n.is_ignore_case(), n.is_multi_line(), n.is_extended(), n.is_once());
                self.interp(Form::Regex, &n.parts(), &flags)
            }
            P::InterpolatedMatchLastLineNode { .. } => {
                let n = get!(node, as_interpolated_match_last_line_node);
                self.interp(Form::Regex, &n.parts(), "")
            }
            P::EmbeddedStatementsNode { .. } | P::EmbeddedVariableNode { .. } => self.part(node).kind,
            P::SourceFileNode { .. } => Kind::Str("__FILE__".into()),
            P::ArrayNode { .. } => Kind::Array(self.list(&get!(node, as_array_node).elements())),
            P::HashNode { .. } => Kind::Hash(self.pairs(&get!(node, as_hash_node).elements())),
            P::KeywordHashNode { .. } => Kind::Hash(self.pairs(&get!(node, as_keyword_hash_node).elements())),
            P::RangeNode { .. } => {
                let n = get!(node, as_range_node);
                let left = self.or_nil(n.left(), span);
                let right = self.or_nil(n.right(), span);
                Kind::Range(Box::new((left, right)))
            }
            P::LocalVariableReadNode { .. } => {
                Kind::Local(self.name(&get!(node, as_local_variable_read_node).name()))
            }
            P::ItLocalVariableReadNode { .. } => Kind::Local(Name::from("it")),
            P::LocalVariableTargetNode { .. } => {
                Kind::Local(self.name(&get!(node, as_local_variable_target_node).name()))
            }
            P::InstanceVariableReadNode { .. } => {
                Kind::Ivar(self.name(&get!(node, as_instance_variable_read_node).name()))
            }
            P::InstanceVariableTargetNode { .. } => {
                Kind::Ivar(self.name(&get!(node, as_instance_variable_target_node).name()))
            }
            P::ClassVariableReadNode { .. } => {
                Kind::Cvar(self.name(&get!(node, as_class_variable_read_node).name()))
            }
            P::ClassVariableTargetNode { .. } => {
                Kind::Cvar(self.name(&get!(node, as_class_variable_target_node).name()))
            }
            P::GlobalVariableReadNode { .. } => {
                Kind::Gvar(self.name(&get!(node, as_global_variable_read_node).name()))
            }
            P::GlobalVariableTargetNode { .. } => {
                Kind::Gvar(self.name(&get!(node, as_global_variable_target_node).name()))
            }
            P::NumberedReferenceReadNode { .. } => {
                Kind::Gvar(Name::from(&format!("${}", get!(node, as_numbered_reference_read_node).number())))
            }
            P::BackReferenceReadNode { .. } => {
                Kind::Gvar(self.name(&get!(node, as_back_reference_read_node).name()))
            }
            P::ConstantReadNode { .. } | P::ConstantPathNode { .. } => match self.constant(node) {
                Some(path) => Kind::Const(path),
                None => {
                    // `foo::Bar`: a constant looked up in the value of an expression.
                    let n = get!(node, as_constant_path_node);
                    Kind::Other(self.option(n.parent()).into_iter().collect())
                }
            },
            P::ConstantTargetNode { .. } => {
                const_kind(self.name(&get!(node, as_constant_target_node).name()))
            }
            P::ConstantPathTargetNode { .. } => Kind::Other(Vec::new()),
            P::CallNode { .. } => {
                let n = get!(node, as_call_node);
                self.call(&n, span)
            }
            P::CallTargetNode { .. } => {
                let n = get!(node, as_call_target_node);
                let method = self.name(&n.name());
                let reader = Name::from(method.trim_end_matches('='));
                self.reader(Some(n.receiver()), reader, Vec::new(), n.is_safe_navigation(), span).kind
            }
            P::IndexTargetNode { .. } => {
                let n = get!(node, as_index_target_node);
                let args = self.arguments(n.arguments());
                self.reader(Some(n.receiver()), Name::from("[]"), args, false, span).kind
            }
            P::SuperNode { .. } => {
                let n = get!(node, as_super_node);
                let args = self.arguments(n.arguments());
                let (block, block_arg) = self.call_block(n.block());
                self.super_call(args, block, block_arg, span)
            }
            P::ForwardingSuperNode { .. } => {
                let n = get!(node, as_forwarding_super_node);
                let block = n.block().map(|b| self.block(&b));
                let all = Node { span, kind: Kind::Splat(Box::new(nil(span))) };
                self.super_call(vec![all], block, None, span)
            }
            P::YieldNode { .. } => Kind::Yield(self.arguments(get!(node, as_yield_node).arguments())),
            P::LocalVariableWriteNode { .. } => {
                let n = get!(node, as_local_variable_write_node);
                let target = self.name(&n.name());
                if target == MARKER
                    && let Some(mark) = self.out_mark(&node.location())
                {
                    let value = self.node(&n.value());
                    return Kind::Out(Box::new(Out { value, escape: mark.escape, context: mark.context }));
                }
                let target = Node { span: self.span(&n.name_loc()), kind: Kind::Local(target) };
                self.assign(target, None, &n.value())
            }
            P::InstanceVariableWriteNode { .. } => {
                let n = get!(node, as_instance_variable_write_node);
                let target = Node { span: self.span(&n.name_loc()), kind: Kind::Ivar(self.name(&n.name())) };
                self.assign(target, None, &n.value())
            }
            P::ClassVariableWriteNode { .. } => {
                let n = get!(node, as_class_variable_write_node);
                let target = Node { span: self.span(&n.name_loc()), kind: Kind::Cvar(self.name(&n.name())) };
                self.assign(target, None, &n.value())
            }
            P::GlobalVariableWriteNode { .. } => {
                let n = get!(node, as_global_variable_write_node);
                let target = Node { span: self.span(&n.name_loc()), kind: Kind::Gvar(self.name(&n.name())) };
                self.assign(target, None, &n.value())
            }
            P::ConstantWriteNode { .. } => {
                let n = get!(node, as_constant_write_node);
                let target = Node { span: self.span(&n.name_loc()), kind: const_kind(self.name(&n.name())) };
                self.assign(target, None, &n.value())
            }
            P::ConstantPathWriteNode { .. } => {
                let n = get!(node, as_constant_path_write_node);
                let target = self.node(&n.target().as_node());
                self.assign(target, None, &n.value())
            }
            P::LocalVariableOrWriteNode { .. } => {
                op_assign!(self, node, span, as_local_variable_or_write_node, Kind::Local, |_| Op::Or)
            }
            P::LocalVariableAndWriteNode { .. } => {
                op_assign!(self, node, span, as_local_variable_and_write_node, Kind::Local, |_| Op::And)
            }
            P::LocalVariableOperatorWriteNode { .. } => {
                let op = |n: &prism::LocalVariableOperatorWriteNode<'_>| {
                    Op::Call(bytes_name(n.binary_operator().as_slice()))
                };
                op_assign!(self, node, span, as_local_variable_operator_write_node, Kind::Local, op)
            }
            P::InstanceVariableOrWriteNode { .. } => {
                op_assign!(self, node, span, as_instance_variable_or_write_node, Kind::Ivar, |_| Op::Or)
            }
            P::InstanceVariableAndWriteNode { .. } => {
                op_assign!(self, node, span, as_instance_variable_and_write_node, Kind::Ivar, |_| Op::And)
            }
            P::InstanceVariableOperatorWriteNode { .. } => {
                let op = |n: &prism::InstanceVariableOperatorWriteNode<'_>| {
                    Op::Call(bytes_name(n.binary_operator().as_slice()))
                };
                op_assign!(self, node, span, as_instance_variable_operator_write_node, Kind::Ivar, op)
            }
            P::ClassVariableOrWriteNode { .. } => {
                op_assign!(self, node, span, as_class_variable_or_write_node, Kind::Cvar, |_| Op::Or)
            }
            P::ClassVariableAndWriteNode { .. } => {
                op_assign!(self, node, span, as_class_variable_and_write_node, Kind::Cvar, |_| Op::And)
            }
            P::ClassVariableOperatorWriteNode { .. } => {
                let op = |n: &prism::ClassVariableOperatorWriteNode<'_>| {
                    Op::Call(bytes_name(n.binary_operator().as_slice()))
                };
                op_assign!(self, node, span, as_class_variable_operator_write_node, Kind::Cvar, op)
            }
            P::GlobalVariableOrWriteNode { .. } => {
                op_assign!(self, node, span, as_global_variable_or_write_node, Kind::Gvar, |_| Op::Or)
            }
            P::GlobalVariableAndWriteNode { .. } => {
                op_assign!(self, node, span, as_global_variable_and_write_node, Kind::Gvar, |_| Op::And)
            }
            P::GlobalVariableOperatorWriteNode { .. } => {
                let op = |n: &prism::GlobalVariableOperatorWriteNode<'_>| {
                    Op::Call(bytes_name(n.binary_operator().as_slice()))
                };
                op_assign!(self, node, span, as_global_variable_operator_write_node, Kind::Gvar, op)
            }
            P::ConstantOrWriteNode { .. } => {
                op_assign!(self, node, span, as_constant_or_write_node, const_kind, |_| Op::Or)
            }
            P::ConstantAndWriteNode { .. } => {
                op_assign!(self, node, span, as_constant_and_write_node, const_kind, |_| Op::And)
            }
            P::ConstantOperatorWriteNode { .. } => {
                let op = |n: &prism::ConstantOperatorWriteNode<'_>| {
                    Op::Call(bytes_name(n.binary_operator().as_slice()))
                };
                op_assign!(self, node, span, as_constant_operator_write_node, const_kind, op)
            }
            P::ConstantPathOrWriteNode { .. } => {
                let n = get!(node, as_constant_path_or_write_node);
                let target = self.node(&n.target().as_node());
                self.assign(target, Some(Op::Or), &n.value())
            }
            P::CallOrWriteNode { .. } => {
                let n = get!(node, as_call_or_write_node);
                let target = self.reader(
                    n.receiver(),
                    bytes_name(n.read_name().as_slice()),
                    Vec::new(),
                    n.is_safe_navigation(),
                    span,
                );
                self.assign(target, Some(Op::Or), &n.value())
            }
            P::CallAndWriteNode { .. } => {
                let n = get!(node, as_call_and_write_node);
                let target = self.reader(
                    n.receiver(),
                    bytes_name(n.read_name().as_slice()),
                    Vec::new(),
                    n.is_safe_navigation(),
                    span,
                );
                self.assign(target, Some(Op::And), &n.value())
            }
            P::CallOperatorWriteNode { .. } => {
                let n = get!(node, as_call_operator_write_node);
                let target = self.reader(
                    n.receiver(),
                    bytes_name(n.read_name().as_slice()),
                    Vec::new(),
                    n.is_safe_navigation(),
                    span,
                );
                self.assign(target, Some(Op::Call(bytes_name(n.binary_operator().as_slice()))), &n.value())
            }
            P::IndexOrWriteNode { .. } => {
                let n = get!(node, as_index_or_write_node);
                let args = self.arguments(n.arguments());
                let target = self.reader(n.receiver(), Name::from("[]"), args, false, span);
                self.assign(target, Some(Op::Or), &n.value())
            }
            P::IndexAndWriteNode { .. } => {
                let n = get!(node, as_index_and_write_node);
                let args = self.arguments(n.arguments());
                let target = self.reader(n.receiver(), Name::from("[]"), args, false, span);
                self.assign(target, Some(Op::And), &n.value())
            }
            P::IndexOperatorWriteNode { .. } => {
                let n = get!(node, as_index_operator_write_node);
                let args = self.arguments(n.arguments());
                let target = self.reader(n.receiver(), Name::from("[]"), args, false, span);
                self.assign(target, Some(Op::Call(bytes_name(n.binary_operator().as_slice()))), &n.value())
            }
            P::MultiWriteNode { .. } => {
                let n = get!(node, as_multi_write_node);
                let targets = self.targets(&n.lefts(), n.rest(), &n.rights());
                Kind::MultiAssign(Box::new(MultiAssign { targets, value: self.node(&n.value()) }))
            }
            P::MultiTargetNode { .. } => {
                let n = get!(node, as_multi_target_node);
                Kind::Array(self.targets(&n.lefts(), n.rest(), &n.rights()))
            }
            P::AndNode { .. } => {
                let n = get!(node, as_and_node);
                Kind::And(Box::new((self.node(&n.left()), self.node(&n.right()))))
            }
            P::OrNode { .. } => {
                let n = get!(node, as_or_node);
                Kind::Or(Box::new((self.node(&n.left()), self.node(&n.right()))))
            }
            P::DefinedNode { .. } => Kind::Defined(self.boxed(&get!(node, as_defined_node).value())),
            P::IfNode { .. } => {
                let n = get!(node, as_if_node);
                let cond = self.node(&n.predicate());
                let then = self.statements(n.statements(), span);
                let otherwise = self.or_nil(n.subsequent(), span);
                Kind::If(Box::new(If { cond, then, otherwise }))
            }
            P::ElseNode { .. } => self.statements(get!(node, as_else_node).statements(), span).kind,
            P::UnlessNode { .. } => {
                let n = get!(node, as_unless_node);
                let cond = self.node(&n.predicate());
                let otherwise = self.statements(n.statements(), span);
                let then = self.branch(n.else_clause(), span);
                Kind::If(Box::new(If { cond, then, otherwise }))
            }
            P::CaseNode { .. } => {
                let n = get!(node, as_case_node);
                let subject = self.option(n.predicate());
                let mut arms = Vec::new();
                for condition in n.conditions().iter() {
                    if let Some(when) = condition.as_when_node() {
                        let tests = self.list(&when.conditions());
                        let body = self.statements(when.statements(), span);
                        arms.push(Arm { tests, guard: None, body });
                    }
                }
                let otherwise = n.else_clause().map(|e| self.branch(Some(e), span));
                Kind::Case(Box::new(Case { subject, arms, otherwise }))
            }
            P::CaseMatchNode { .. } => {
                let n = get!(node, as_case_match_node);
                let subject = self.option(n.predicate());
                let mut arms = Vec::new();
                for condition in n.conditions().iter() {
                    if let Some(branch) = condition.as_in_node() {
                        let (pattern, guard) = self.pattern(&branch.pattern());
                        let body = self.statements(branch.statements(), span);
                        arms.push(Arm { tests: vec![pattern], guard, body });
                    }
                }
                let otherwise = n.else_clause().map(|e| self.branch(Some(e), span));
                Kind::Match(Box::new(Case { subject, arms, otherwise }))
            }
            P::MatchRequiredNode { .. } => {
                let n = get!(node, as_match_required_node);
                self.single_match(&n.value(), &n.pattern(), span)
            }
            P::MatchPredicateNode { .. } => {
                let n = get!(node, as_match_predicate_node);
                self.single_match(&n.value(), &n.pattern(), span)
            }
            P::MatchWriteNode { .. } => {
                let n = get!(node, as_match_write_node);
                let call = self.node(&n.call().as_node());
                let mut parts = vec![call.clone()];
                for target in n.targets().iter() {
                    let target = self.node(&target);
                    let captured = Node { span: target.span, kind: Kind::Gvar(Name::from("$~")) };
                    let assign = Assign { target, op: None, value: captured };
                    parts.push(Node { span, kind: Kind::Assign(Box::new(assign)) });
                }
                // The value of the whole is that of the match.
                parts.push(call);
                Kind::Seq(parts)
            }
            P::CapturePatternNode { .. } => {
                let n = get!(node, as_capture_pattern_node);
                let value = self.node(&n.value());
                let target = self.node(&n.target().as_node());
                Kind::And(Box::new((value, target)))
            }
            P::AlternationPatternNode { .. } => {
                let n = get!(node, as_alternation_pattern_node);
                Kind::Or(Box::new((self.node(&n.left()), self.node(&n.right()))))
            }
            P::ArrayPatternNode { .. } => {
                let n = get!(node, as_array_pattern_node);
                Kind::Array(self.targets(&n.requireds(), n.rest(), &n.posts()))
            }
            P::FindPatternNode { .. } => {
                let n = get!(node, as_find_pattern_node);
                let mut items = vec![self.node(&n.left().as_node())];
                items.extend(self.list(&n.requireds()));
                items.push(self.node(&n.right().as_node()));
                Kind::Array(items)
            }
            P::HashPatternNode { .. } => {
                let n = get!(node, as_hash_pattern_node);
                let mut pairs = self.pairs(&n.elements());
                if let Some(rest) = n.rest() {
                    let key = self.node(&rest);
                    pairs.push(Pair { key, value: nil(span) });
                }
                Kind::Hash(pairs)
            }
            P::AssocSplatNode { .. } => {
                let n = get!(node, as_assoc_splat_node);
                Kind::DoubleSplat(Box::new(self.or_nil(n.value(), span)))
            }
            P::PinnedVariableNode { .. } => self.node(&get!(node, as_pinned_variable_node).variable()).kind,
            P::PinnedExpressionNode { .. } => {
                self.node(&get!(node, as_pinned_expression_node).expression()).kind
            }
            P::ImplicitNode { .. } => self.node(&get!(node, as_implicit_node).value()).kind,
            P::ImplicitRestNode { .. } => Kind::Splat(Box::new(nil(span))),
            P::WhileNode { .. } => {
                let n = get!(node, as_while_node);
                let cond = self.node(&n.predicate());
                let body = self.statements(n.statements(), span);
                Kind::Loop(Box::new(Loop { each: None, cond: Some(cond), body }))
            }
            P::UntilNode { .. } => {
                let n = get!(node, as_until_node);
                let cond = Node { span, kind: Kind::Not(self.boxed(&n.predicate())) };
                let body = self.statements(n.statements(), span);
                Kind::Loop(Box::new(Loop { each: None, cond: Some(cond), body }))
            }
            P::ForNode { .. } => {
                let n = get!(node, as_for_node);
                let each = (self.node(&n.index()), self.node(&n.collection()));
                let body = self.statements(n.statements(), span);
                Kind::Loop(Box::new(Loop { each: Some(each), cond: None, body }))
            }
            P::BeginNode { .. } => {
                let n = get!(node, as_begin_node);
                let body = self.statements(n.statements(), span);
                let rescues = self.rescues(n.rescue_clause());
                let otherwise = n.else_clause().map(|e| self.branch(Some(e), span));
                let ensure = n.ensure_clause().map(|e| self.statements(e.statements(), span));
                if rescues.is_empty() && otherwise.is_none() && ensure.is_none() {
                    return body.kind;
                }
                Kind::Begin(Box::new(Begin { body, rescues, otherwise, ensure }))
            }
            P::RescueModifierNode { .. } => {
                let n = get!(node, as_rescue_modifier_node);
                let body = self.node(&n.expression());
                let rescue =
                    Rescue { classes: Vec::new(), binding: None, body: self.node(&n.rescue_expression()) };
                Kind::Begin(Box::new(Begin { body, rescues: vec![rescue], otherwise: None, ensure: None }))
            }
            P::ReturnNode { .. } => Kind::Return(self.value(get!(node, as_return_node).arguments(), span)),
            P::BreakNode { .. } => Kind::Break(self.value(get!(node, as_break_node).arguments(), span)),
            P::NextNode { .. } => Kind::Next(self.value(get!(node, as_next_node).arguments(), span)),
            P::RedoNode { .. } | P::RetryNode { .. } => Kind::Jump,
            P::LambdaNode { .. } => {
                let n = get!(node, as_lambda_node);
                let params = self.block_params(n.parameters(), span);
                let body = self.or_nil(n.body(), span);
                Kind::Lambda(Box::new(Block { span, params, body }))
            }
            P::DefNode { .. } => {
                let n = get!(node, as_def_node);
                let name_span = self.span(&n.name_loc());
                let singleton = self.option(n.receiver());
                let params = n.parameters().map_or_else(Vec::new, |p| self.params(&p));
                let body = self.or_nil(n.body(), Span { start: span.end, end: span.end });
                Kind::Def(Box::new(Def { name: self.name(&n.name()), name_span, singleton, params, body }))
            }
            P::ClassNode { .. } => {
                let n = get!(node, as_class_node);
                self.module(ModuleForm::Class, &n.constant_path(), n.superclass(), n.body(), span)
            }
            P::ModuleNode { .. } => {
                let n = get!(node, as_module_node);
                self.module(ModuleForm::Module, &n.constant_path(), None, n.body(), span)
            }
            P::SingletonClassNode { .. } => {
                let n = get!(node, as_singleton_class_node);
                self.module(ModuleForm::Singleton, &n.expression(), None, n.body(), span)
            }
            P::SplatNode { .. } => {
                let n = get!(node, as_splat_node);
                Kind::Splat(Box::new(self.or_nil(n.expression(), span)))
            }
            P::BlockArgumentNode { .. } => {
                let n = get!(node, as_block_argument_node);
                Kind::BlockPass(Box::new(self.or_nil(n.expression(), span)))
            }
            P::ForwardingArgumentsNode { .. } => Kind::Splat(Box::new(nil(span))),
            P::AliasMethodNode { .. } => {
                let n = get!(node, as_alias_method_node);
                match (self.node(&n.new_name()).kind, self.node(&n.old_name()).kind) {
                    (Kind::Sym(new), Kind::Sym(old)) => Kind::Alias(new, old),
                    _ => Kind::Other(Vec::new()),
                }
            }
            P::ShareableConstantNode { .. } => {
                self.node(&get!(node, as_shareable_constant_node).write()).kind
            }
            P::PreExecutionNode { .. } => {
                self.statements(get!(node, as_pre_execution_node).statements(), span).kind
            }
            P::PostExecutionNode { .. } => {
                self.statements(get!(node, as_post_execution_node).statements(), span).kind
            }
            P::FlipFlopNode { .. } => {
                let n = get!(node, as_flip_flop_node);
                Kind::Other([n.left(), n.right()].into_iter().flatten().map(|x| self.node(&x)).collect())
            }
            P::ErrorRecoveryNode { .. } => {
                let n = get!(node, as_error_recovery_node);
                Kind::Other(self.option(n.unexpected()).into_iter().collect())
            }
            _ => Kind::Other(Vec::new()),
        }
    }

    fn super_call(
        &mut self,
        args: Vec<Node>,
        block: Option<Block>,
        block_arg: Option<Node>,
        span: Span,
    ) -> Kind {
        Kind::Super(Box::new(Call {
            recv: None,
            name: Name::from("super"),
            name_span: Span { start: span.start, end: span.start + 5 },
            args,
            block,
            block_arg,
            safe_nav: false,
            bare: false,
        }))
    }

    /// A pattern and its guard: Prism wraps a guarded pattern in an `if` or `unless`.
    fn pattern(&mut self, pattern: &P<'_>) -> (Node, Option<Node>) {
        let span = self.span(&pattern.location());
        if let Some(guarded) = pattern.as_if_node() {
            let guard = self.node(&guarded.predicate());
            return (self.statements(guarded.statements(), span), Some(guard));
        }
        if let Some(guarded) = pattern.as_unless_node() {
            let guard = Node { span, kind: Kind::Not(self.boxed(&guarded.predicate())) };
            return (self.statements(guarded.statements(), span), Some(guard));
        }
        (self.node(pattern), None)
    }

    fn single_match(&mut self, value: &P<'_>, pattern: &P<'_>, span: Span) -> Kind {
        let subject = Some(self.node(value));
        let tests = vec![self.node(pattern)];
        let body = nil(span);
        Kind::Match(Box::new(Case { subject, arms: vec![Arm { tests, guard: None, body }], otherwise: None }))
    }
}
