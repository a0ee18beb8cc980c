import type { AstNode } from 'langium';
import { AbstractSemanticTokenProvider, type SemanticTokenAcceptor } from 'langium/lsp';
import { SemanticTokenTypes } from 'vscode-languageserver';
import * as ast from '../generated/ast';
import { registerOf } from '../places';

/** Colours what only the meaning tells: names, registers, symbols, words of closed sets. */
export class CovertHighlighting extends AbstractSemanticTokenProvider {
  protected override highlightElement(node: AstNode, accept: SemanticTokenAcceptor): void {
    switch (node.$type) {
      case ast.Chip.$type:
        accept({ node: node as ast.Chip, property: 'name', type: SemanticTokenTypes.struct });
        return;
      case ast.ChipUse.$type:
        accept({ node: node as ast.ChipUse, property: 'chip', type: SemanticTokenTypes.struct });
        return;
      case ast.Guest.$type:
        accept({ node: node as ast.Guest, property: 'name', type: SemanticTokenTypes.class });
        return;
      case ast.GuestUse.$type:
        accept({ node: node as ast.GuestUse, property: 'guest', type: SemanticTokenTypes.class });
        return;
      case ast.Fault.$type:
        if ((node as ast.Fault).name !== undefined) accept({ node: node as ast.Fault, property: 'name', type: SemanticTokenTypes.property });
        return;
      case ast.RegisterPlace.$type:
        if (registerOf((node as ast.RegisterPlace).register)) accept({ node: node as ast.RegisterPlace, property: 'register', type: SemanticTokenTypes.variable });
        return;
      case ast.SymbolAddress.$type:
        accept({ node: node as ast.SymbolAddress, property: 'symbol', type: SemanticTokenTypes.function });
        return;
      case ast.Divergence.$type:
        if ((node as ast.Divergence).symbol !== undefined) accept({ node: node as ast.Divergence, property: 'symbol', type: SemanticTokenTypes.function });
        return;
      case ast.Protection.$type:
        accept({ node: node as ast.Protection, property: 'kind', type: SemanticTokenTypes.enumMember });
        return;
      case ast.Isolation.$type:
        accept({ node: node as ast.Isolation, property: 'kind', type: SemanticTokenTypes.enumMember });
        return;
      case ast.CompareSubject.$type:
        accept({ node: node as ast.CompareSubject, property: 'kind', type: SemanticTokenTypes.enumMember });
        return;
      case ast.InputName.$type:
        accept({ node: node as ast.InputName, property: 'name', type: SemanticTokenTypes.enumMember });
        return;
      case ast.Method.$type:
        accept({ node: node as ast.Method, property: 'name', type: SemanticTokenTypes.enumMember });
        return;
      case ast.ReplicaTarget.$type:
        accept({ node: node as ast.ReplicaTarget, property: 'replica', type: SemanticTokenTypes.enumMember });
        return;
    }
  }
}
