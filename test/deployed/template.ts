/** A packaged CloudFormation template, and what its functions (Ref, Fn::If, …) come to for given parameters. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

export type Fields = { readonly [key: string]: Json | undefined };

export interface Resource {
  readonly Type: string;
  readonly Condition?: string;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly Properties: Fields;
}

interface Parameter {
  readonly Default: string | number;
  readonly AllowedPattern?: string;
  readonly ConstraintDescription?: string;
}

export interface Template {
  readonly Parameters: Readonly<Record<string, Parameter>>;
  readonly Conditions: Readonly<Record<string, Json>>;
  readonly Resources: Readonly<Record<string, Resource>>;
}

export const TEMPLATE_FILE = join('.serverless', 'cloudformation-template-update-stack.json');

export async function readTemplate(folder: string): Promise<Template> {
  return JSON.parse(await readFile(join(folder, TEMPLATE_FILE), 'utf8')) as Template;
}

/** What AWS leaves out. */
const NO_VALUE = Symbol('AWS::NoValue');

type Value = Json | typeof NO_VALUE;

const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': 'REGION',
  'AWS::AccountId': 'ACCOUNT',
};

/** The resources that are made, all functions worked out; what only AWS knows stands as its name, such as `Jobs.Arn`. */
export function resolved(
  template: Template,
  parameters: Readonly<Record<string, string>> = {},
): Readonly<Record<string, Resource>> {
  const resolver = new Resolver(template, parameters);
  const made: Record<string, Resource> = {};
  for (const [name, resource] of Object.entries(template.Resources)) {
    if (resource.Condition !== undefined && !resolver.holds(resource.Condition)) continue;
    made[name] = { ...resource, Properties: resolver.fields(resource.Properties ?? {}) };
  }
  return made;
}

class Resolver {
  readonly #template: Template;
  readonly #parameters: Readonly<Record<string, string>>;

  constructor(template: Template, parameters: Readonly<Record<string, string>>) {
    this.#template = template;
    this.#parameters = parameters;
  }

  holds(condition: string): boolean {
    return this.#truth(this.#template.Conditions[condition] ?? null);
  }

  fields(value: Fields): Fields {
    const made: Record<string, Json> = {};
    for (const [key, each] of Object.entries(value)) {
      const worked = this.#value(each ?? null);
      if (worked !== NO_VALUE) made[key] = worked;
    }
    return made;
  }

  #value(value: Json): Value {
    if (Array.isArray(value)) return this.#list(value);
    if (typeof value !== 'object' || value === null) return value;
    const fields = value as Fields;
    const [name = '', argument = null] = Object.entries(fields)[0] ?? [];
    if (Object.keys(fields).length !== 1) return this.fields(fields);
    if (name === 'Ref') return this.#ref(String(argument));
    if (!name.startsWith('Fn::')) return this.fields(fields);
    return this.#called(name, argument);
  }

  #called(name: string, argument: Json): Value {
    if (name === 'Fn::GetAtt') return (argument as readonly string[]).join('.');
    if (name === 'Fn::Sub') return this.#sub(argument);
    if (name === 'Fn::If') {
      const [condition, yes = null, no = null] = argument as readonly Json[];
      return this.#value(this.holds(String(condition)) ? yes : no);
    }
    if (name === 'Fn::Split' || name === 'Fn::Join') {
      const [by, of = null] = argument as readonly Json[];
      const worked = this.#value(of);
      return name === 'Fn::Split'
        ? String(worked).split(String(by))
        : (worked as readonly Json[]).join(String(by));
    }
    throw new Error(`no test knows what ${name} does`);
  }

  #list(values: readonly Json[]): Json {
    return values.map((each) => this.#value(each)).filter((each) => each !== NO_VALUE);
  }

  #ref(name: string): Value {
    if (name === 'AWS::NoValue') return NO_VALUE;
    const parameter = this.#template.Parameters[name];
    if (parameter !== undefined) return this.#parameters[name] ?? parameter.Default;
    return PSEUDO[name] ?? name;
  }

  #sub(argument: Json): Json {
    const [text, names = {}] = (Array.isArray(argument) ? argument : [argument]) as [string, Fields?];
    const own = this.fields(names);
    return text.replace(/\$\{([^}]+)\}/g, (_, name: string) =>
      String(own[name] ?? (name.includes('.') ? name : this.#ref(name))),
    );
  }

  #truth(value: Json): boolean {
    const [[name = '', argument = null] = []] = Object.entries(value as Fields);
    const args = argument as readonly Json[];
    if (name === 'Condition') return this.holds(String(argument));
    if (name === 'Fn::Not') return !this.#truth(args[0] ?? null);
    if (name === 'Fn::And') return args.every((each) => this.#truth(each));
    const [left = null, right = null] = args;
    if (name === 'Fn::Equals') return String(this.#value(left)) === String(this.#value(right));
    throw new Error(`no test knows the condition ${name}`);
  }
}
