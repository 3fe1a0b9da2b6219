/* A program that waits for a slow tool outlives its process.
 *
 *     cc checkpoint.c $(pkg-config --cflags --libs eryx) -o checkpoint
 *     ./checkpoint start agent.ckpt      runs an agent until it asks its tool, then exits
 *     ./checkpoint answer agent.ckpt "sunny, 21 degrees"     any time later: the agent goes on
 */
#include <eryx.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char agent[] =
    "from dataclasses import dataclass, field\n"
    "@dataclass\n"
    "class Plan:\n"
    "    goal: str\n"
    "    steps: list = field(default_factory=list)\n"
    "async def work(goal):\n"
    "    plan = Plan(goal)\n"
    "    for city in ('Oslo', 'Rome'):\n"
    "        plan.steps.append(f'ask about {city}')\n"
    "        answer = await ask_person(question=f'How is the weather in {city}?')\n"
    "        plan.steps.append(f'{city}: {answer}')\n"
    "        print(plan.steps[-1])\n"
    "    return plan\n"
    "plan = await work('pack the right clothes')\n"
    "print(plan.goal, '-', len(plan.steps), 'steps')\n";

static eryx_call_t *question; /* what the agent waits for */

static void on_question(void *env, eryx_call_t *call)
{
    (void)env;
    printf("asked: %s %s\n", eryx_call_name(call), eryx_call_arguments(call, NULL));
    question = call;
}

static void check(int status, const eryx_error_t *error)
{
    if (status == ERYX_OK)
        return;
    fprintf(stderr, "%s\n", error->message);
    exit(1);
}

static void give_answer(const char *text)
{
    char json[300];
    eryx_error_t error;
    int length = snprintf(json, sizeof json, "\"%.250s\"", text);
    check(eryx_call_complete(question, json, (size_t)length, &error), &error);
    eryx_call_free(question);
    question = NULL;
}

/* Lets the agent run until it waits for an answer, or is done: then its output is shown. */
static int run(eryx_execution_t *execution)
{
    while (eryx_execution_run(execution) != ERYX_EXECUTION_DONE) {
        if (question)
            return 0;
        eryx_execution_wait(execution, UINT64_MAX);
    }
    eryx_outcome_t *outcome = eryx_execution_take_outcome(execution);
    fputs(eryx_outcome_stdout(outcome, NULL), stdout);
    fputs(eryx_outcome_traceback(outcome), stderr);
    eryx_outcome_free(outcome);
    return 1;
}

int main(int argc, char **argv)
{
    eryx_error_t error;
    eryx_runtime_t *runtime;
    eryx_sandbox_t *sandbox;
    eryx_execution_t *execution;
    eryx_callback_t tool;
    eryx_sandbox_options_t options;
    int starts = argc == 3 && strcmp(argv[1], "start") == 0;
    if (!starts && !(argc == 4 && strcmp(argv[1], "answer") == 0)) {
        fprintf(stderr, "usage: checkpoint start FILE | checkpoint answer FILE TEXT\n");
        return 2;
    }
    eryx_callback_init(&tool);
    tool.name = "ask_person";
    tool.on_call = on_question;
    eryx_sandbox_options_init(&options);
    options.callbacks = &tool;
    options.callback_count = 1;
    options.limits.wall_time_ns = 0; /* people take their time */
    check(eryx_runtime_open(NULL, NULL, &runtime, &error), &error);
    if (starts) {
        check(eryx_sandbox_new(runtime, &options, &sandbox, &error), &error);
        check(eryx_execution_start(sandbox, agent, strlen(agent), NULL, &execution, &error),
              &error);
        run(execution);
    } else {
        check(eryx_sandbox_resume_file(runtime, argv[2], &options, &sandbox, &error), &error);
        execution = eryx_sandbox_execution(sandbox);
        if (!execution) {
            fprintf(stderr, "%s: the agent is done already\n", argv[2]);
            eryx_sandbox_free(sandbox);
            eryx_runtime_free(runtime);
            return 1;
        }
        run(execution); /* the question is asked again */
        give_answer(argv[3]);
        if (run(execution))
            eryx_execution_free(execution);
    }
    if (question)
        puts("the agent waits; its process ends here");
    check(eryx_sandbox_checkpoint_file(sandbox, NULL, argv[2], &error), &error);
    eryx_sandbox_free(sandbox);
    eryx_call_free(question);
    eryx_runtime_free(runtime);
    return 0;
}
